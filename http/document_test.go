package httpapi

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type document struct {
	Paths map[string]map[string]json.RawMessage `json:"paths"`
	Parts struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Enum []string `json:"enum"`
			} `json:"properties"`
		} `json:"schemas"`
	} `json:"components"`
}

func readDocument(t *testing.T) (document, []byte) {
	t.Helper()
	_, server := serve(t, Config{})
	r := do(t, server, "GET", "/openapi.json", "")
	var d document
	r.decode(t, &d)
	return d, []byte(r.body)
}

func TestEveryRouteIsInTheDocumentAndTheOtherWayRound(t *testing.T) {
	d, _ := readDocument(t)
	var documented, routed []string
	for path, methods := range d.Paths {
		for method := range methods {
			if method != "parameters" {
				documented = append(documented, strings.ToUpper(method)+" "+path)
			}
		}
	}
	expression := regexp.MustCompile(`\{(\w+):[^}]+\}`)
	for _, r := range (&Handler{}).routes() {
		for _, method := range r.methods {
			if method != "HEAD" { // comes with GET
				routed = append(routed, method+" "+expression.ReplaceAllString(r.path, "{$1}"))
			}
		}
	}
	slices.Sort(documented)
	slices.Sort(routed)
	if diff := cmp.Diff(routed, documented); diff != "" {
		t.Errorf("routes (-) and document (+) differ:\n%s", diff)
	}
}

func TestTheDocumentNamesEveryCode(t *testing.T) {
	d, _ := readDocument(t)
	got := d.Parts.Schemas["Problem"].Properties["code"].Enum
	var want []string
	for c := range maps.Keys(meanings) {
		want = append(want, string(c))
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-) and document (+) differ:\n%s", diff)
	}
}

func TestTheDocumentNamesEveryField(t *testing.T) {
	d, _ := readDocument(t)
	_, err := readOrder([]byte(`{"nonsense":1}`), "", true)
	_, known, _ := strings.Cut(err.Error(), "known are ")
	got := slices.Sorted(maps.Keys(d.Parts.Schemas["BatchSubmission"].Properties))
	if diff := cmp.Diff(strings.Split(known, ", "), got); diff != "" {
		t.Errorf("fields of a submission (-) and document (+) differ:\n%s", diff)
	}
}

func TestEveryReferenceOfTheDocumentResolves(t *testing.T) {
	_, data := readDocument(t)
	var root any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`"\$ref":"#/([^"]+)"`).FindAllSubmatch(data, -1) {
		at := root
		for part := range strings.SplitSeq(string(match[1]), "/") {
			object, _ := at.(map[string]any)
			if at = object[part]; at == nil {
				t.Errorf("%s leads nowhere", match[1])
				break
			}
		}
	}
}
