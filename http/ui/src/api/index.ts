/** The asking half of a client: typed requests, and Problem for whatever goes wrong. */
export * from './jobs';
export { Problem } from './problem';
export { getSession, type Session, signIn, signOut } from './session';
export { createVideo, type VideoRequest } from './videos';
