import { useEffect } from 'react';
import { useStudio } from './context';
import { tabTitle } from './words';

export function useTabTitle(): void {
  const studio = useStudio();
  useEffect(() => {
    const update = () => {
      const shown = studio.jobs.ids().flatMap((id) => studio.jobs.get(id) ?? []);
      const title = tabTitle(shown);
      if (document.title !== title) document.title = title;
    };
    update();
    return studio.jobs.watchList(update);
  }, [studio]);
}
