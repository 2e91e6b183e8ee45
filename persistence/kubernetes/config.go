package kubernetes

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Config says which API server to use and how. Zero fields take what Kubernetes gives every pod.
type Config struct {
	// URL of the API server. Default: https:// and the variables KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT.
	URL string
	// Namespace of the objects. Default: the service account's.
	Namespace string
	// TokenFile and CAFile are read again when they change. Default: those of the service account. "-" for none.
	TokenFile, CAFile string
	// Group tells the nodes of one Troupe from those of others in the namespace. Default: "default".
	Group string
	// Pace is the shortest time between two beats of one member that reach the server. Default 1 s.
	Pace time.Duration
}

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// none is the name of a file that is not there.
const none = "-"

func (c *Config) complete() error {
	if c.URL == "" {
		host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
		if host == "" || port == "" {
			return errors.New("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod of a Kubernetes cluster")
		}
		c.URL = "https://" + net.JoinHostPort(host, port)
	}
	if c.TokenFile == "" {
		c.TokenFile = account + "token"
	}
	if c.CAFile == "" {
		c.CAFile = account + "ca.crt"
	}
	if c.Namespace == "" {
		text, err := os.ReadFile(account + "namespace")
		if err != nil {
			return fmt.Errorf("read the pod's namespace: %w", err)
		}
		c.Namespace = strings.TrimSpace(string(text))
	}
	if c.Group == "" {
		c.Group = "default"
	}
	if len(c.Group) > 63 || !job.ValidName(c.Group) || !job.ValidName(c.Namespace) {
		return fmt.Errorf("group %.80q in namespace %.80q: want 1 to 63 letters, digits, '.', '_' and '-'", c.Group, c.Namespace)
	}
	if c.Pace <= 0 {
		c.Pace = time.Second
	}
	return nil
}
