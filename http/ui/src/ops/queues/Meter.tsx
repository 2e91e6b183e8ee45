import './meter.css';
import { count } from '../figures';

/** How many of so many: a bar that is full at the limit. */
export function Meter({ value, max, label }: { value: number; max: number; label: string }) {
  const share = max > 0 ? Math.min(1, value / max) : 0;
  return (
    <span
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.max(max, value, 1)}
      aria-valuenow={value}
      aria-valuetext={`${count(value)} of ${count(max)}`}
      data-full={max > 0 && value >= max}
    >
      <span className="meter-fill" style={{ '--share': share } as React.CSSProperties} />
    </span>
  );
}
