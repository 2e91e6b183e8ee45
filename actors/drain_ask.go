package actors

import "errors"

// errNoDrain: the program that runs this node does not let it be drained from outside.
var errNoDrain = errors.New("this node can't be drained from outside")

// drainAsked has the program end this node in order, as on SIGTERM. From is the node that passes the request on, or empty if the list of
// members did. Asking again changes nothing.
func (a *App) drainAsked(from, by string) error {
	if a.config.OnDrain == nil {
		return errNoDrain
	}
	if a.drainTold.CompareAndSwap(false, true) {
		a.log.Info("asked to drain", "from", from, "by", by)
		go a.config.OnDrain(by)
	}
	return nil
}
