package api_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What queries of the dashboard name.
var (
	metricName = regexp.MustCompile(`\b(?:keci|go|process)_[a-z_]+\b`)
	grouping   = regexp.MustCompile(`\bby \(([^)]*)\)`)
	matcher    = regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"`)
)

// TestDashboard holds the dashboard for Grafana against what the server exposes:
// it names nothing else, and leaves out nothing of the server's own.
func TestDashboard(t *testing.T) {
	s := serve(t, nil)
	tell(t, s)
	exposed, labels := families(string(s.mustSend(t, 200, "GET", "/metrics", "").body))
	labels["instance"] = true // Prometheus adds it
	data, err := os.ReadFile("../doc/deploy/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	dashboard := decode[struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}](t, data)
	shown := map[string]bool{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			names := metricName.FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s: %s names no metric", panel.Title, target.Expr)
			}
			for _, name := range names {
				if !exposed[name] {
					t.Errorf("%s: the server has no metric %s", panel.Title, name)
				}
				shown[family(name)] = true
			}
			for _, label := range labelsOf(target.Expr) {
				if !labels[label] {
					t.Errorf("%s: no metric has the label %s", panel.Title, label)
				}
			}
		}
	}
	for name := range exposed {
		if strings.HasPrefix(name, "keci_") && !shown[family(name)] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

var sample = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? `)

// families are the names of all samples that Prometheus reads, and of their labels.
func families(exposition string) (names, labels map[string]bool) {
	names, labels = map[string]bool{}, map[string]bool{}
	for _, found := range sample.FindAllStringSubmatch(exposition, -1) {
		names[found[1]] = true
		for _, label := range matcher.FindAllStringSubmatch(found[2], -1) {
			labels[label[1]] = true
		}
	}
	return names, labels
}

// family is the name of a metric of which name is a sample.
func family(name string) string {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

func labelsOf(query string) (names []string) {
	for _, found := range grouping.FindAllStringSubmatch(query, -1) {
		names = append(names, strings.Split(strings.ReplaceAll(found[1], " ", ""), ",")...)
	}
	for _, found := range matcher.FindAllStringSubmatch(query, -1) {
		names = append(names, found[1])
	}
	return names
}
