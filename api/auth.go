package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
)

// access is what a client may do. Each kind includes those before it.
type access int

const (
	mayNothing access = iota // only what is open to all
	mayRead                  // read, and have texts worked on without storing anything
	mayWrite                 // store and remove documents, make and end jobs
)

// Tokens are the bearer tokens by which a server knows its clients. The file that
// they stand in is read anew when it has changed. Tokens are safe for concurrent use.
type Tokens struct {
	path string

	mutex   sync.Mutex
	known   []token
	version fileVersion // of the file that was read last, or tried
	looked  time.Time   // when the version was looked at
}

// fileVersion tells a file that was changed from what it was before.
type fileVersion struct {
	changed time.Time
	size    int64
}

func versionOf(path string) fileVersion {
	info, err := os.Stat(path)
	if err != nil {
		return fileVersion{} // of a file that is not there
	}
	return fileVersion{info.ModTime(), info.Size()}
}

// token is kept as its hash, so that tokens of any length are compared in the
// same time.
type token struct {
	name   string
	hash   [sha256.Size]byte
	access access
}

// MinTokenBytes is the length below which a token is refused, since it could be guessed.
const MinTokenBytes = 16

// ReadTokens reads a file of tokens. Each line has a name, what the client may do
// (read or write, which includes read) and the token, with white space between;
// empty lines and those that begin with # are passed over. The error names the line.
func ReadTokens(path string) (*Tokens, error) {
	version := versionOf(path)
	known, err := readTokens(path)
	if err != nil {
		return nil, err
	}
	return &Tokens{path: path, known: known, version: version, looked: time.Now()}, nil
}

// lookInterval is how often a file of tokens is looked at while clients ask.
const lookInterval = time.Second

// Refresh reads the file anew when it has changed. An error tells, once for each
// change, that it cannot be used: the tokens stay what they were.
func (t *Tokens) Refresh(now time.Time) (changed bool, err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if now.Sub(t.looked) < lookInterval {
		return false, nil
	}
	t.looked = now
	version := versionOf(t.path)
	if version == t.version {
		return false, nil
	}
	t.version = version
	known, err := readTokens(t.path)
	if err != nil {
		return false, err
	}
	t.known = known
	return true, nil
}

func readTokens(path string) ([]token, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the tokens: %w", err)
	}
	var known []token
	names := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		parsed, err := parseToken(line)
		if err == nil && names[parsed.name] {
			err = fmt.Errorf("the name %q is used twice", parsed.name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, number, err)
		}
		names[parsed.name] = true
		known = append(known, parsed)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the tokens of %s: %w", path, err)
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("%s holds no token: give each a line NAME read|write TOKEN", path)
	}
	return known, nil
}

func parseToken(line string) (token, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return token{}, fmt.Errorf("a line has %d fields instead of NAME read|write TOKEN", len(fields))
	}
	parsed := token{name: fields[0], hash: sha256.Sum256([]byte(fields[2]))}
	switch fields[1] {
	case "read":
		parsed.access = mayRead
	case "write":
		parsed.access = mayWrite
	default:
		return token{}, fmt.Errorf("a token can be for read or write, not for %q", fields[1])
	}
	if len(fields[2]) < MinTokenBytes {
		return token{}, fmt.Errorf("the token of %q has %d bytes; give it at least %d, for example by openssl rand -hex 16",
			parsed.name, len(fields[2]), MinTokenBytes)
	}
	return parsed, nil
}

// find looks a token up, in a time that does not depend on how much of it is right.
func (t *Tokens) find(presented string) (found token, ok bool) {
	hash := sha256.Sum256([]byte(presented))
	t.mutex.Lock()
	tokens := t.known
	t.mutex.Unlock()
	for _, known := range tokens {
		if subtle.ConstantTimeCompare(hash[:], known.hash[:]) == 1 {
			found, ok = known, true
		}
	}
	return found, ok
}

// client is who asks.
type client struct {
	name       string // of the token, or the address
	access     access
	background bool // it is a job of that client
}

type clientKey struct{}

func withClient(ctx context.Context, who client) context.Context {
	return context.WithValue(ctx, clientKey{}, who)
}

func clientOf(ctx context.Context) client {
	who, _ := ctx.Value(clientKey{}).(client)
	return who
}

// identify finds out who asks. Whether that is enough is for authorize to say.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		who := client{name: c.RealIP(), access: mayWrite}
		if s.Tokens != nil {
			who.access = mayNothing
			s.refreshTokens()
			scheme, presented, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
			if known, ok := s.Tokens.find(presented); ok && strings.EqualFold(scheme, "bearer") {
				who = client{name: "token " + known.name, access: known.access}
			}
		}
		c.SetRequest(c.Request().WithContext(withClient(c.Request().Context(), who)))
		return next(c)
	}
}

func (s *Server) refreshTokens() {
	switch changed, err := s.Tokens.Refresh(time.Now()); {
	case err != nil:
		s.Log.Error("the tokens stay what they were", "error", err)
	case changed:
		s.Log.Info("read the tokens anew")
	}
}

// bearer names the way of authentication in the OpenAPI description.
const bearer = "bearer"

// accessKey is the key of the access that an operation needs in its metadata.
const accessKey = "access"

// authorize lets those through who may do what the operation needs.
func (s *Server) authorize(ctx huma.Context, next func(huma.Context)) {
	needs, _ := ctx.Operation().Metadata[accessKey].(access)
	who := clientOf(ctx.Context())
	switch {
	case who.access >= needs:
		next(ctx)
	case who.access == mayNothing:
		problem := newProblem(http.StatusUnauthorized, "", "this server asks for a token that it knows: send the header Authorization: Bearer TOKEN")
		problem.challenge = true
		s.writeProblem(problem, humaecho.Unwrap(ctx))
	default:
		s.writeProblem(newProblem(http.StatusForbidden, "", "the token is for reading, and this changes what is stored"), humaecho.Unwrap(ctx))
	}
}
