import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** The longest frame read. The server's are a few KB; a stream without line ends must not fill the memory. */
export const maxFrameChars = 4 << 20;

export interface FrameSink {
  onFrame(frame: EventSourceMessage): void;
  onRetry(ms: number): void;
}

/** Reads event-stream bytes as they come, cut anywhere, also within a character. Throws when a frame is over its bound. */
export class FrameReader {
  readonly #decoder = new TextDecoder();
  readonly #parser;
  #pending = 0;

  constructor(sink: FrameSink) {
    this.#parser = createParser({
      onEvent: (frame) => {
        this.#pending = 0;
        sink.onFrame(frame);
      },
      onRetry: (ms) => sink.onRetry(ms),
      onComment: () => {
        this.#pending = 0;
      },
    });
  }

  feed(bytes: Uint8Array): void {
    const chunk = this.#decoder.decode(bytes, { stream: true });
    this.#pending += chunk.length;
    this.#parser.feed(chunk);
    if (this.#pending > maxFrameChars)
      throw new Error(`a frame of the stream is longer than ${maxFrameChars} characters`);
  }
}
