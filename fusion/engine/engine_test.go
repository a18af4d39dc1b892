package engine

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for name, want := range map[string]string{ // what String gives; "" an error
		"go":                              "go",
		"go:num_executors=2":              "go:num_executors=2",
		"onnx:/lib/libonnxruntime.so.1":   "onnx:/lib/libonnxruntime.so.1",
		"onnx:cuda, /lib/x.so":            "onnx:/lib/x.so,cuda",
		"onnx:/lib/a.so,log=1,,parallel":  "onnx:/lib/a.so,log=1,parallel",
		"xla:/p/xla_cuda_plugin.so,tf32":  "xla:/p/xla_cuda_plugin.so,tf32",
		"":                                "",
		"steam":                           "",
		"gopher":                          "",
		"onnx":                            "",
		"onnx:cuda":                       "",
		"xla:cuda":                        "",
		"go:/lib/x.so":                    "",
		"torch:/lib/libtorch.so,whatever": "",
	} {
		e, err := Parse(name)
		if (err != nil) != (want == "") || err == nil && e.String() != want {
			t.Errorf("%q: %v, error %v, want %q", name, e, err, want)
		}
	}
}

func TestParseMakesPathsAbsolute(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	e, err := Parse("onnx:x.so")
	if want := "onnx:" + filepath.Join(dir, "x.so"); err != nil || e.String() != want {
		t.Errorf("%v, error %v, want %s", e, err, want)
	}
}

func TestParseSaysWhatToDo(t *testing.T) {
	for name, want := range map[string][]string{
		"onnx":  {"onnx:/path/to/libonnxruntime.so", "pip install onnxruntime"},
		"xla":   {"xla:/path/to/xla_cuda_plugin.so", "pip install", "xla_cuda13"},
		"steam": {`"steam"`, "onnx:LIBRARY", "xla:PLUGIN"},
	} {
		if _, err := Parse(name); !mentions(err, want...) {
			t.Errorf("%s: error %v, want %q in it", name, err, want)
		}
	}
}

func TestOpenGo(t *testing.T) {
	for _, work := range []Work{Batches, Sentences} {
		e, err := Parse(Go)
		if err != nil {
			t.Fatal(err)
		}
		backend, err := e.Open(work)
		if err != nil {
			t.Fatal(err)
		}
		if backend.String() != "go" {
			t.Errorf("opened %s", backend)
		}
		backend.Finalize()
	}
	e, err := Parse("go:colour=red")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Open(Batches); !mentions(err, "go:colour=red") {
		t.Errorf("an unknown setting: error %v", err)
	}
}

func TestOpenWhatIsNotBuiltIn(t *testing.T) {
	for _, name := range []string{ONNX, XLA} {
		if slices.Contains(BuiltIn(), name) {
			continue
		}
		e, err := Parse(name + ":/lib/x.so")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Open(Batches); !mentions(err, "make build TAGS="+name, "-tags "+name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestCheck looks into files that are not what an engine needs.
func TestCheck(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only ELF is looked into")
	}
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	write(t, text, "not a library")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "absent.so"): "no such file",
		dir:                             "is not a file",
		text:                            "no whole shared library",
		self:                            "",
	} {
		for name, l := range libraries {
			if err := l.check(path); !mentions(err, path, want) {
				t.Errorf("%s, %s: error %v, want %q", name, path, err, want)
			}
		}
	}
}

func TestCheckLibraries(t *testing.T) {
	for name, test := range map[string]struct {
		library string
		source  string
		version string // that the linker gives the symbols
		cut     int64  // bytes that are left; 0: all
		want    string // in the error; "": none
	}{
		"another library":  {ONNX, "int other(void) { return 1; }", "", 0, "no function OrtGetApiBase"},
		"only asks for it": {ONNX, "void *OrtGetApiBase(void); void *f(void) { return OrtGetApiBase(); }", "", 0, "no function OrtGetApiBase"},
		"old":              {ONNX, "void *OrtGetApiBase(void) { return 0; }", "VERS_1.16.3", 0, "version 1.16.3, and 1.17 or later"},
		"new":              {ONNX, "void *OrtGetApiBase(void) { return 0; }", "VERS_1.31.1", 0, ""},
		"next":             {ONNX, "void *OrtGetApiBase(void) { return 0; }", "VERS_2.0.0", 0, ""},
		"does not tell":    {ONNX, "void *OrtGetApiBase(void) { return 0; }", "", 0, ""},
		"cut off":          {ONNX, "void *OrtGetApiBase(void) { return 0; } char big[1<<20] = {1};", "", 64 << 10, "no whole shared library"},
		"plugin":           {XLA, "void *GetPjrtApi(void) { return 0; }", "VERS_1.0", 0, ""},
		"no plugin":        {XLA, "void *OrtGetApiBase(void) { return 0; }", "", 0, "no function GetPjrtApi"},
	} {
		t.Run(name, func(t *testing.T) {
			path := sharedLibrary(t, test.source, test.version)
			if test.cut > 0 {
				if err := os.Truncate(path, test.cut); err != nil {
					t.Fatal(err)
				}
			}
			err := libraries[test.library].check(path)
			if test.want == "" && err != nil || test.want != "" && !mentions(err, path, test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// sharedLibrary compiles C; the test is skipped where there is no compiler.
func sharedLibrary(t *testing.T, source, version string) string {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs Linux and a C compiler")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "lib.so")
	write(t, filepath.Join(dir, "lib.c"), source)
	args := []string{"-shared", "-fPIC", "-o", path, filepath.Join(dir, "lib.c")}
	if version != "" {
		write(t, filepath.Join(dir, "lib.map"), version+" { global: *; };\n")
		args = append(args, "-Wl,--version-script="+filepath.Join(dir, "lib.map"))
	}
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mentions tells whether there is an error that says all this.
func mentions(err error, all ...string) bool {
	return err != nil && !slices.ContainsFunc(all, func(s string) bool { return !strings.Contains(err.Error(), s) })
}
