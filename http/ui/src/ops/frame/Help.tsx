import { useState } from 'react';
import { useWatched } from '../../stream/react';
import { Dialog } from '../parts';
import { keysOn, listKeys, setKeysOn } from './keys';

/** What can be pressed here. */
export function Help({ onClose }: { onClose(): void }) {
  const [keys] = useState(listKeys);
  const on = useWatched(keysOn);
  const mac = navigator.userAgent.includes('Mac');
  return (
    <Dialog title="Keys" onClose={onClose} className="help">
      <dl className="keys">
        {keys.map(({ key, does }) => (
          <div key={key}>
            <dt>
              {key.split(/[ +]/).map((part) => (
                <kbd key={part}>{part === 'mod' ? (mac ? '⌘' : 'Ctrl') : part}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input type="checkbox" checked={on} onChange={(event) => setKeysOn(event.target.checked)} />
        Single keys work
      </label>
      <div className="dialog-actions">
        <button type="button" className="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
