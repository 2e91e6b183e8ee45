/** A line of numbers, oldest first. `label` says what it is for those who can't see it. */
export function Sparkline({
  values,
  label,
  width = 120,
  height = 28,
  tone = 'plain',
  max,
}: {
  values: readonly number[];
  label: string;
  width?: number;
  height?: number;
  tone?: 'plain' | 'good' | 'warm' | 'bad';
  /** The top of the scale; else the greatest value. */
  max?: number;
}) {
  const top = Math.max(max ?? 0, ...values, 1e-9);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const points = values.map((value, i) => `${round(i * step)},${round(height - 2 - (value / top) * (height - 4))}`);
  return (
    <svg className="sparkline" data-tone={tone} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
      {points.length > 1 && (
        <>
          <path className="area" d={`M0,${height}L${points.join('L')}L${width},${height}Z`} />
          <path className="line" d={`M${points.join('L')}`} vectorEffect="non-scaling-stroke" />
        </>
      )}
    </svg>
  );
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
