package sample

import (
	"path/filepath"
	"testing"

	"github.com/meta-ad-studio/troupe/actors"
)

func TestAWitnessMustBeThere(t *testing.T) {
	all, err := Witness(filepath.Join(t.TempDir(), "nobody"), map[string]actors.Handler{})
	if err == nil || all != nil {
		t.Errorf("%v, %v", all, err)
	}
}
