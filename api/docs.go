package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// docsPolicy is policy for the page of the documentation, which has its scripts
// and styles in it. They come, like all of it, out of the program.
var docsPolicy = strings.NewReplacer("script-src 'self'", "script-src 'self' 'unsafe-inline'",
	"style-src 'self'", "style-src 'self' 'unsafe-inline'").Replace(policy)

// readMethods are those that give a page, and its headers alone.
var readMethods = []string{http.MethodGet, http.MethodHead}

// routeDocs serves documentation that calls can be tried from.
func (s *Server) routeDocs() {
	page := echo.WrapHandler(v5emb.NewWithConfig(swgui.Config{
		SettingsUI: map[string]string{"validatorUrl": "null", "tryItOutEnabled": "true"}, // nothing leaves this machine
	})("keci", "/openapi.json", "/docs"))
	s.echo.Match(readMethods, "/docs", page, secure(docsPolicy))
	s.echo.Match(readMethods, "/docs/*", page, secure(docsPolicy))
}
