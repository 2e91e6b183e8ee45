package job

import "slices"

// usualView is the room that most views need besides what their handlers made, in bytes.
const usualView = 640

// AppendJSON adds the view as JSON, byte for byte as json.Marshal writes it, without the price of reflection. Like
// json.Marshal it refuses a payload, result or checkpoint that is not JSON, a progress that is not a number, and a time
// beyond the year 9999; then it returns nil and the error.
//
// It is not a MarshalJSON: that would be promoted to every struct that embeds a view, and hide the struct's own fields.
func (v *View) AppendJSON(b []byte) ([]byte, error) {
	b = slices.Grow(b, usualView+len(v.Payload)+len(v.Result)+len(v.Checkpoint))
	e := encoder{b: append(b, `{"id":"`...)}
	e.b, _ = v.ID.AppendText(e.b)
	e.int(`","version":`, v.Version)
	e.int(`,"run":`, int64(v.Run))
	e.text(`,"kind":`, v.Kind)
	e.text(`,"queue":`, v.Queue)
	e.text(`,"status":`, v.Status.String())
	e.bool(`,"terminal":`, v.Terminal)
	e.int(`,"priority":`, int64(v.Priority))
	e.int(`,"attempt":`, int64(v.Attempt))
	e.int(`,"max_attempts":`, int64(v.MaxAttempts))
	e.int(`,"crashes":`, int64(v.Crashes))
	e.float(`,"progress":`, v.Progress)
	e.textIfAny(`,"stage":`, v.Stage)
	e.intIfAny(`,"stage_i":`, int64(v.StageIndex))
	e.intIfAny(`,"stage_n":`, int64(v.StageCount))
	e.textIfAny(`,"message":`, v.Message)
	e.intIfAny(`,"eta_ms":`, v.ETA)
	e.rawIfAny(`,"payload":`, v.Payload)
	e.rawIfAny(`,"result":`, v.Result)
	if v.Error != nil {
		e.text(`,"error":{"code":`, v.Error.Code)
		e.text(`,"message":`, v.Error.Message)
		e.textIfAny(`,"fingerprint":`, v.Error.Fingerprint)
		e.b = append(e.b, '}')
	}
	if v.Cancel != nil {
		e.text(`,"cancel":{"state":`, string(v.Cancel.State))
		e.textIfAny(`,"by":`, v.Cancel.By)
		e.textIfAny(`,"reason":`, v.Cancel.Reason)
		e.timeIfAny(`,"at":`, v.Cancel.At)
		e.b = append(e.b, '}')
	}
	e.rawIfAny(`,"checkpoint":`, v.Checkpoint)
	e.artifacts(`,"artifacts":`, v.Artifacts)
	e.textIfAny(`,"owner":`, v.Owner)
	e.texts(`,"tags":`, v.Tags)
	e.textIfAny(`,"group":`, v.Group)
	e.textIfAny(`,"batch":`, v.Batch)
	e.textIfAny(`,"node":`, v.Node)
	e.time(`,"created_at":`, v.CreatedAt)
	e.timeIfAny(`,"started_at":`, v.StartedAt)
	e.time(`,"updated_at":`, v.UpdatedAt)
	e.timeIfAny(`,"completed_at":`, v.CompletedAt)
	e.timeIfAny(`,"run_at":`, v.RunAt)
	return e.end()
}

func (e *encoder) artifacts(key string, artifacts []ViewArtifact) {
	if len(artifacts) == 0 {
		return
	}
	e.b = append(e.b, key...)
	opening := `[{"name":`
	for i := range artifacts {
		a := &artifacts[i]
		e.text(opening, a.Name)
		e.text(`,"type":`, a.Type)
		e.text(`,"url":`, a.URL)
		e.int(`,"bytes":`, a.Bytes)
		opening = `},{"name":`
	}
	e.b = append(e.b, "}]"...)
}
