/** What the rooms are furnished with. */
export { Badge, Chip } from './Badge';
export { ConfirmDialog, confirm, type Question } from './Confirm';
export { CopyButton } from './CopyButton';
export { Dialog } from './Dialog';
export { JsonViewer } from './JsonViewer';
export { Figure, Page, Panel, useTitle } from './Page';
export { Sparkline } from './Sparkline';
export { EmptyState, ErrorState, Loading, problemTitle } from './States';
export { type Column, Table } from './Table';
export { Duration, Time, useSecond } from './Time';
export { say, Toasts } from './Toasts';
export { absolute, clockTime, duration, relative } from './time';
export { visible } from './visible';
export { Words } from './Words';
