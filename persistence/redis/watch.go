package redis

import (
	"context"
	"time"
)

// Watch implements persistence.Inbox. Whenever the subscription begins, also again, it calls wake for every queue that
// this client has had to do with.
func (in *Inbox) Watch(ctx context.Context, wake func(queue string)) error {
	return in.c.listen(ctx, in.c.wakeChannel(), listener{
		confirmed: func(bool) {
			in.c.queues.Range(func(queue, _ any) bool {
				wake(queue.(string))
				return true
			})
		},
		message: wake,
		tick:    func(time.Time) {},
		lost:    func() {},
	})
}
