import {
  type FormEvent,
  type KeyboardEvent,
  type MouseEvent,
  useId,
  useImperativeHandle,
  useRef,
  useState,
} from 'react';
import type { Brief, VideoRequest } from '../api';
import { webUrl } from './media';
import { type Refusal, useOrder } from './order';

/** Seconds, within what the server takes: 2 to 30. */
const durations = [6, 10, 15, 30];
const defaultDuration = 6;

export interface ComposerHandle {
  /** Puts an earlier order into the form, to be changed and sent again. */
  fill(brief: Brief): void;
}

export function Composer({ ref }: { ref: React.Ref<ComposerHandle> }) {
  const id = useId();
  const prompt = useRef<HTMLTextAreaElement>(null);
  const image = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [imageUrl, setImageUrl] = useState('');
  const [duration, setDuration] = useState(defaultDuration);
  const [mistake, setMistake] = useState<Refusal | null>(null);
  const order = useOrder();
  const trouble = mistake ?? order.refusal;

  useImperativeHandle(ref, () => ({
    fill: (brief) => {
      setText(brief.prompt);
      setImageUrl(brief.imageUrl ?? '');
      if (brief.duration !== null && durations.includes(brief.duration)) setDuration(brief.duration);
      prompt.current?.focus();
      prompt.current?.scrollIntoView({ block: 'nearest' });
    },
  }));

  async function submit(event?: FormEvent): Promise<void> {
    event?.preventDefault();
    const found = mistakeIn(text, imageUrl);
    setMistake(found);
    if (found !== null) {
      order.forgive();
      (found.field === 'imageUrl' ? image : prompt).current?.focus();
      return;
    }
    const video: VideoRequest = { prompt: text.trim(), duration };
    if (imageUrl.trim() !== '') video.imageUrl = imageUrl.trim();
    if (await order.send(video)) {
      // What was typed while it was being sent stays.
      setText((now) => (now.trim() === video.prompt ? '' : now));
      setImageUrl((now) => (now.trim() === (video.imageUrl ?? '') ? '' : now));
    }
  }

  function keys(event: KeyboardEvent): void {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit();
  }

  const describe = (field: string) =>
    trouble?.field === field ? { 'aria-invalid': true, 'aria-describedby': `${id}-trouble` } : {};
  return (
    <form className="panel composer" onSubmit={submit} onKeyDown={keys} noValidate aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>New video</h2>
      <div className="field">
        <label htmlFor={`${id}-prompt`}>What happens in it?</label>
        <textarea
          id={`${id}-prompt`}
          ref={prompt}
          name="prompt"
          rows={5}
          placeholder="A paper boat drifts down a rainy street at night, neon in the puddles, slow dolly in."
          value={text}
          onChange={(event) => setText(event.target.value)}
          {...describe('prompt')}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-image`}>
          Image to start from <span className="optional">optional</span>
        </label>
        <input
          id={`${id}-image`}
          ref={image}
          name="imageUrl"
          type="url"
          inputMode="url"
          autoComplete="off"
          placeholder="https://"
          value={imageUrl}
          onChange={(event) => setImageUrl(event.target.value)}
          {...describe('imageUrl')}
        />
      </div>
      <fieldset className="field" {...describe('duration')}>
        <legend>Length</legend>
        <div className="segments">
          {durations.map((seconds) => (
            <label key={seconds}>
              <input
                type="radio"
                name="duration"
                value={seconds}
                checked={duration === seconds}
                onChange={() => setDuration(seconds)}
              />
              <span>{seconds} s</span>
            </label>
          ))}
        </div>
      </fieldset>
      <p className="error" id={`${id}-trouble`} role="alert">
        {trouble && (
          <>
            {trouble.field && <strong>{fieldNames[trouble.field] ?? trouble.field}: </strong>}
            {trouble.words}
          </>
        )}
      </p>
      <div className="send">
        <button type="submit" className="primary" aria-disabled={order.sending} onClick={onlyFirst}>
          {order.sending ? 'Sending…' : 'Make video'}
        </button>
        <span className="hint" aria-hidden="true">
          <kbd>{navigator.userAgent.includes('Mac') ? '⌘' : 'Ctrl'}</kbd> <kbd>↵</kbd>
        </span>
      </div>
    </form>
  );
}

/** The second click of a double click orders nothing, also when the first has been answered already. */
function onlyFirst(event: MouseEvent): void {
  if (event.detail > 1) event.preventDefault();
}

const fieldNames: Record<string, string> = { prompt: 'Prompt', imageUrl: 'Image', duration: 'Length' };

function mistakeIn(prompt: string, imageUrl: string): Refusal | null {
  if (prompt.trim() === '') return { field: 'prompt', words: 'Say in a sentence what the video should show.' };
  const url = imageUrl.trim();
  if (url !== '' && (!URL.canParse(url) || webUrl(url) === null)) {
    return { field: 'imageUrl', words: 'This needs the whole address of an image, beginning with https://.' };
  }
  return null;
}
