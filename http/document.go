package httpapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"

	"go.yaml.in/yaml/v3"
)

// The document is written by hand; a test holds it and the table of routes together.
//
//go:embed openapi.yaml
var documentYAML []byte

// openAPI is the document as JSON. It is embedded, so that an error in it is a fault of the build.
func openAPI() []byte {
	var document map[string]any
	if err := yaml.Unmarshal(documentYAML, &document); err != nil {
		panic(fmt.Sprintf("httpapi: openapi.yaml: %v", err))
	}
	data, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Sprintf("httpapi: openapi.yaml: %v", err))
	}
	return data
}

// showDocument is GET /openapi.json.
func (h *Handler) showDocument(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(h.document) // nobody is left to tell
	return nil
}
