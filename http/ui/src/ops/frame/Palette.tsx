import { type KeyboardEvent, useId, useState } from 'react';
import { Dialog } from '../parts';
import { type Command, findCommands } from './commands';

/** Goes anywhere by a few letters. */
export function Palette({ onClose }: { onClose(): void }) {
  const id = useId();
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  const found = findCommands(words).slice(0, 12);
  const chosen = Math.min(at, found.length - 1);

  function run(command: Command | undefined): void {
    if (command === undefined) return;
    onClose();
    command.run();
  }

  function keys(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown') setAt((chosen + 1) % Math.max(1, found.length));
    else if (event.key === 'ArrowUp') setAt((chosen + found.length - 1) % Math.max(1, found.length));
    else if (event.key === 'Enter') run(found[chosen]);
    else return;
    event.preventDefault();
  }

  return (
    <Dialog title="Go to" onClose={onClose} className="palette">
      <input
        className="input"
        role="combobox"
        aria-label="Page, action, job id or words to search for"
        aria-expanded={true}
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
        placeholder="A page, an action, a job’s id…"
        autoComplete="off"
        spellCheck={false}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(0);
        }}
        onKeyDown={keys}
      />
      <div id={`${id}-list`} role="listbox" aria-label="Matches">
        {found.map((command, i) => (
          <div
            key={command.title}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === chosen}
            className="palette-row"
            onPointerMove={() => setAt(i)}
            onClick={() => run(command)}
          >
            <span>{command.title}</span>
            {command.note && <span className="hint">{command.note}</span>}
          </div>
        ))}
      </div>
    </Dialog>
  );
}
