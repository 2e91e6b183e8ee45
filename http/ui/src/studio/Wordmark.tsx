/** The name, drawn: six letters of one line, its "o" under the light. */
export function Wordmark() {
  return (
    <svg className="wordmark" viewBox="0 0 166 44" role="img" aria-label="Troupe">
      <g fill="none" stroke="currentColor" strokeWidth="4.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M9 4v20.500a6 6 0 0 0 6 6h2M3 12.500h13" />
        <path d="M29 30.500v-18M29 20.500a8 8 0 0 1 8-8h2" />
        <path d="M82 12.500v9.500a8.500 8.500 0 0 0 17 0v-9.500M99 22v8.500" />
        <path d="M112 21.500v19M112 21.500a9 9 0 1 1 9 9a9 9 0 0 1-9-9" />
        <path d="M142.500 22h18a9 9 0 1 0-3 6" />
      </g>
      <circle className="wordmark-light" cx="59.500" cy="21.500" r="11.300" />
    </svg>
  );
}
