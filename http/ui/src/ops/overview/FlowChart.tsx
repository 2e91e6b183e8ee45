import { rate } from '../figures';
import { historyS } from '../live/live';
import type { Stats } from '../live/events';

const height = 100;

/** What went through in the last two minutes: what completed, and on top of it what failed. */
export function FlowChart({ history }: { history: readonly Stats[] }) {
  const points = history.map(({ at, totals }) => ({ at: Date.parse(at), ...totals }));
  const now = points.at(-1)?.at ?? 0;
  const top = nice(Math.max(1, ...points.map((point) => point.completedPerS + point.failedPerS)));
  const x = (at: number) => Math.max(0, historyS - (now - at) / 1_000);
  const y = (value: number) => height - (value / top) * height;
  const line = (of: (point: (typeof points)[number]) => number) =>
    points.map((point) => `${round(x(point.at))},${round(y(of(point)))}`).join('L');
  const done = line((point) => point.completedPerS);
  const all = line((point) => point.completedPerS + point.failedPerS);
  const back = points.map((point) => `${round(x(point.at))},${round(y(point.completedPerS))}`).reverse().join('L');
  const last = points.at(-1);
  const first = points[0] ? x(points[0].at) : 0;
  return (
    <figure className="flow">
      <div className="flow-plot">
        <svg
          viewBox={`0 0 ${historyS} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`Now ${rate(last?.completedPerS ?? 0)} jobs a second complete and ${rate(last?.failedPerS ?? 0)} fail`}
        >
          <path className="flow-grid" d={`M0,0H${historyS}M0,${height / 2}H${historyS}`} vectorEffect="non-scaling-stroke" />
          {points.length > 1 && (
            <>
              <path className="flow-done" d={`M${first},${height}L${done}L${historyS},${height}Z`} />
              <path className="flow-failed" d={`M${all}L${back}Z`} />
              <path className="flow-edge" d={`M${done}`} vectorEffect="non-scaling-stroke" />
              <path className="flow-edge bad" d={`M${all}`} vectorEffect="non-scaling-stroke" data-none={points.every((point) => point.failedPerS === 0)} />
            </>
          )}
        </svg>
        <span className="flow-top">{rate(top)} a second</span>
        <span className="flow-mid">{rate(top / 2)}</span>
      </div>
      <figcaption className="flow-caption">
        <span>2 min ago</span>
        <span className="flow-key" data-tone="good">
          {rate(last?.completedPerS ?? 0)} completed a second
        </span>
        <span className="flow-key" data-tone="bad">
          {rate(last?.failedPerS ?? 0)} failed
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

/** The next of 1, 2, 5, 10, 20, 50 … */
function nice(n: number): number {
  const power = 10 ** Math.floor(Math.log10(n));
  return ([1, 2, 5, 10].find((step) => step * power >= n) ?? 10) * power;
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
