package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configured lets a file set what neither the command line nor the environment does.
type configured struct {
	Config string `help:"File of settings; troupe.yaml is read if it is here. A setting is named as its variable, without TROUPE_ and in lower case: redis-url." env:"TROUPE_CONFIG" type:"path" placeholder:"FILE"`
}

// defaultConfig is read if it is there.
const defaultConfig = "troupe.yaml"

// BeforeResolve reads the file, once kong knows which one it is.
func (c *configured) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	at := slices.IndexFunc(trace.Flags, func(f *kong.Flag) bool { return f.Name == "config" })
	if at < 0 {
		return errors.New("this command has no --config")
	}
	name, _ := ctx.FlagValue(trace.Flags[at]).(string)
	asked := name != ""
	if !asked {
		name = defaultConfig
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	read, err := parseSettings(text, knownSettings(ctx.Model.Node))
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	ctx.AddResolver(settings{filepath.Base(name), read})
	return nil
}

// settings are what a file says, by the setting's name, as kong reads flags: text, or lists of it.
type settings struct {
	file   string
	values map[string]any
}

// Validate implements kong.Resolver: parseSettings has done it.
func (settings) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. Kong asks it after it has read the environment, and would let it win.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := s.values[settingName(flag)]
	if !ok {
		return nil, nil
	}
	for _, variable := range flag.Envs {
		if _, set := os.LookupEnv(variable); set {
			return nil, nil
		}
	}
	trial := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), trial); err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	return value, nil
}

// settingName is a flag's name in the file; empty if the file can't set it.
func settingName(flag *kong.Flag) string {
	if len(flag.Envs) == 0 || flag.Name == "config" {
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(flag.Envs[0], "TROUPE_")), "_", "-")
}

// knownSettings are those of a node: one file serves all commands that read one.
func knownSettings(root *kong.Node) []string {
	var names []string
	for _, command := range root.Children {
		if command.Name != "serve" {
			continue
		}
		for _, flag := range command.Flags {
			if name := settingName(flag); name != "" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func parseSettings(text []byte, known []string) (map[string]any, error) {
	var nodes map[string]yaml.Node
	if err := yaml.Unmarshal(text, &nodes); err != nil {
		return nil, errors.New(strings.TrimPrefix(oneLine(err), "yaml: unmarshal errors: "))
	}
	values := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("unknown setting %q; known are %s", name, strings.Join(known, ", "))
		}
		node := nodes[name]
		value, err := settingValue(&node, name)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", node.Line, name, err)
		}
		values[name] = value
	}
	return values, nil
}

// settingValue is a value as a flag reads it.
func settingValue(node *yaml.Node, name string) (any, error) {
	var list []any
	switch {
	case name == "queues":
		return queueSettings(node)
	case node.Kind == yaml.ScalarNode && node.Tag != "!!null":
		return node.Value, nil
	case node.Kind == yaml.SequenceNode && node.Decode(&list) == nil:
		return list, nil // kong decodes it
	}
	return nil, errors.New("want a value, or a list of values")
}

// queueSettings reads NAME: {concurrency: N, durability: store}, and writes it as --queue does.
func queueSettings(node *yaml.Node) (any, error) {
	var queues map[string]map[string]string
	if err := node.Decode(&queues); err != nil {
		return nil, errors.New("want NAME: {concurrency: N, durability: store} for each")
	}
	var all []any
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		text := name + "=" + queues[name]["concurrency"]
		if durability, ok := queues[name]["durability"]; ok {
			text += ":" + durability
		}
		for field := range queues[name] {
			if field != "concurrency" && field != "durability" {
				return nil, fmt.Errorf("%s: unknown setting %q; known are concurrency, durability", name, field)
			}
		}
		if _, err := parseQueue(text); err != nil {
			return nil, fmt.Errorf("%s: want {concurrency: N, durability: store}, N at least 1", name)
		}
		all = append(all, text)
	}
	return all, nil
}
