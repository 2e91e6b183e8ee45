import { type ComponentType, lazy } from 'react';

/** What a page is given: what its path's pattern found. */
export interface RoomProps {
  params: Record<string, string>;
}

/** A page of the house. One entry here, one folder beside it; everything else follows. */
export interface Room {
  /** A pattern: "/ops/jobs/:id". */
  path: string;
  title: string;
  /** After `g`; also the mark of a room that stands in the navigation together with `icon`. */
  key?: string;
  /** The path of an outline in a 20 by 20 box, drawn with a line of 1.5. A room without one is not in the navigation. */
  icon?: string;
  /** A heading in the navigation, above the first room that has it. */
  group?: string;
  page: ComponentType<RoomProps>;
}

export const rooms: readonly Room[] = [
  {
    path: '/ops',
    title: 'Overview',
    key: 'o',
    icon: 'M3 15.5h14M5 12.500l3-4 3 2.500 4-6',
    page: lazy(() => import('./overview/Overview')),
  },
  {
    path: '/ops/jobs',
    title: 'Jobs',
    key: 'j',
    icon: 'M3.500 5.500h13M3.500 10h13M3.500 14.500h8',
    page: lazy(() => import('./jobs/JobsPage')),
  },
  { path: '/ops/jobs/:id', title: 'Job', page: lazy(() => import('./job/JobPage')) },
  {
    path: '/ops/dead',
    title: 'Dead letters',
    key: 'd',
    icon: 'M3 6.500l7 5 7-5M3.500 5h13v10h-13z',
    page: lazy(() => import('./dead/DeadPage')),
  },
  {
    path: '/ops/queues',
    title: 'Queues',
    key: 'q',
    icon: 'M4 4.500h3v11h-3zM8.500 7.500h3v8h-3zM13 11h3v4.500h-3z',
    page: lazy(() => import('./queues/QueuesPage')),
  },
  {
    path: '/ops/nodes',
    title: 'Nodes & actors',
    key: 'n',
    icon: 'M10 3.500v4M10 7.500l-5 5M10 7.500l5 5M5 12.500v3.500M15 12.500v3.500M10 7.500v8.500',
    page: lazy(() => import('./nodes/NodesPage')),
  },
  {
    path: '/ops/streams',
    title: 'Streams',
    key: 's',
    icon: 'M6 14a5.500 5.500 0 0 1 0-8M14 6a5.500 5.500 0 0 1 0 8M8.500 11.500a2.200 2.200 0 0 1 0-3M11.500 8.500a2.200 2.200 0 0 1 0 3',
    page: lazy(() => import('./streams/StreamsPage')),
  },
];
