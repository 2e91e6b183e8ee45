/** JSON as it was written: numbers keep every digit, objects keep the order and the repetition of their keys. */
export type Node =
  | { type: 'object'; entries: [string, Node][] }
  | { type: 'array'; items: Node[] }
  | { type: 'string'; value: string }
  | { type: 'number'; raw: string }
  | { type: 'literal'; raw: 'true' | 'false' | 'null' }
  /** Nested deeper than is taken apart: its source. */
  | { type: 'deep'; raw: string };

/** Deeper than this the source is kept as text. */
export const maxDepth = 200;

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const string = /"(?:[^"\\]|\\.)*"/sy;
const space = /[ \t\r\n]*/y;

/** Throws a SyntaxError if the text is not JSON. */
export function parseLossless(source: string): Node {
  const reader = new Reader(source);
  const node = reader.value(0);
  reader.end();
  return node;
}

class Reader {
  #at = 0;
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  value(depth: number): Node {
    this.#skip();
    const first = this.#source[this.#at];
    if (depth > maxDepth && (first === '{' || first === '[')) return { type: 'deep', raw: this.#deep() };
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return { type: 'string', value: this.#string() };
    for (const raw of ['true', 'false', 'null'] as const) {
      if (this.#source.startsWith(raw, this.#at)) {
        this.#at += raw.length;
        return { type: 'literal', raw };
      }
    }
    return { type: 'number', raw: this.#take(number, 'a value') };
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#source.length) this.#fail('the end');
  }

  #object(depth: number): Node {
    const entries: [string, Node][] = [];
    this.#at++;
    this.#skip();
    if (this.#is('}')) return { type: 'object', entries };
    for (;;) {
      this.#skip();
      const key = this.#string();
      this.#skip();
      if (!this.#is(':')) this.#fail('":"');
      entries.push([key, this.value(depth + 1)]);
      this.#skip();
      if (this.#is('}')) return { type: 'object', entries };
      if (!this.#is(',')) this.#fail('"," or "}"');
    }
  }

  #array(depth: number): Node {
    const items: Node[] = [];
    this.#at++;
    this.#skip();
    if (this.#is(']')) return { type: 'array', items };
    for (;;) {
      items.push(this.value(depth + 1));
      this.#skip();
      if (this.#is(']')) return { type: 'array', items };
      if (!this.#is(',')) this.#fail('"," or "]"');
    }
  }

  #string(): string {
    const raw = this.#take(string, 'a string');
    return JSON.parse(raw) as string;
  }

  /** Steps over brackets without taking them apart. */
  #deep(): string {
    const from = this.#at;
    for (let open = 0; this.#at < this.#source.length; ) {
      const char = this.#source[this.#at];
      if (char === '"') {
        this.#take(string, 'a string');
        continue;
      }
      this.#at++;
      if (char === '{' || char === '[') open++;
      else if ((char === '}' || char === ']') && --open === 0) return this.#source.slice(from, this.#at);
    }
    return this.#fail('the end of what was opened');
  }

  #is(char: string): boolean {
    if (this.#source[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skip(): void {
    space.lastIndex = this.#at;
    space.test(this.#source);
    this.#at = space.lastIndex;
  }

  #take(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found === null) return this.#fail(what);
    this.#at += found[0].length;
    return found[0];
  }

  #fail(wanted: string): never {
    throw new SyntaxError(`want ${wanted} at character ${this.#at}`);
  }
}

/** The member of an object, the last of that name; undefined if there is none. */
export function member(node: Node | undefined, key: string): Node | undefined {
  return node?.type === 'object' ? node.entries.findLast(([name]) => name === key)?.[1] : undefined;
}

/** JSON text of a node, each digit as it came. With an indent, one member a line. */
export function write(node: Node, indent = 0, depth = 0): string {
  const line = indent === 0 ? '' : `\n${' '.repeat(indent * (depth + 1))}`;
  const last = indent === 0 ? '' : `\n${' '.repeat(indent * depth)}`;
  switch (node.type) {
    case 'object': {
      if (node.entries.length === 0) return '{}';
      const colon = indent === 0 ? ':' : ': ';
      const all = node.entries.map(([key, value]) => line + JSON.stringify(key) + colon + write(value, indent, depth + 1));
      return `{${all.join(',')}${last}}`;
    }
    case 'array':
      if (node.items.length === 0) return '[]';
      return `[${node.items.map((item) => line + write(item, indent, depth + 1)).join(',')}${last}]`;
    case 'string':
      return JSON.stringify(node.value);
    default:
      return node.raw;
  }
}
