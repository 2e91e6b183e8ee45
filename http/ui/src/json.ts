/** The readers that the client has for what it is sent. */
export * from '../../client/typescript/client/src/json';
