/** The longest frame that is read, in characters. The server's are a few KB; a stream without line ends must not fill the memory. */
export const maxFrameChars = 4 << 20;

export interface Frame {
  /** "message" if the frame named none. */
  event: string;
  data: string;
  /** The id of this frame or of the last one that had any; empty if none had. */
  id: string;
}

/**
 * Reads the bytes of an event stream as they come, cut anywhere: within a line end, a character or the byte order mark. It is
 * written here because the package has no dependencies and bounds a frame before it is whole; tests hold it against a parser of others.
 */
export class FrameReader {
  /** What the server said to wait before coming back, in milliseconds. */
  retryMs: number | null = null;
  readonly #decoder = new TextDecoder();
  #afterCR = false;
  #rest = '';
  #event = '';
  #data: string[] = [];
  #size = 0;
  #id = '';

  /** The frames that these bytes complete. Throws when one is over its bound. */
  feed(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let chunk = this.#decoder.decode(bytes, { stream: true });
    if (chunk === '') return frames;
    if (this.#afterCR && chunk.startsWith('\n')) chunk = chunk.slice(1);
    this.#afterCR = chunk.endsWith('\r');
    const lines = chunk.split(/\r\n|\r|\n/);
    lines[0] = this.#rest + lines[0];
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line, frames);
    if (this.#size + this.#rest.length > maxFrameChars) throw new RangeError('too long a frame');
    return frames;
  }

  #line(line: string, frames: Frame[]): void {
    if (line === '') {
      if (this.#data.length > 0) frames.push({ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id });
      this.#event = '';
      this.#data = [];
      this.#size = 0;
      return;
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'data') {
      this.#data.push(value);
      this.#size += value.length + 1;
    } else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }
}
