package api

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// web is the page: files as they are served, no build step.
//
//go:embed web
var web embed.FS

// policy lets the page load only what comes with it, and run no code that is
// not in its files.
var policy = strings.Join([]string{
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
	"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
}, "; ")

// routePage serves each file of the page at its own path, and index.html at /.
func (s *Server) routePage() {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	server := echo.WrapHandler(http.FileServerFS(files))
	err = fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		if path == "index.html" {
			path = ""
		}
		s.echo.Match(readMethods, "/"+path, server, secure(policy), tagged(etagOf(content)))
		return nil
	})
	if err != nil {
		panic(err)
	}
}

// tagged sends the tag of the content, so that browsers that have it need not get it
// again whenever the page is opened.
func tagged(etag string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("ETag", etag)
			return next(c)
		}
	}
}

// secure sends with a page what it may load, and that nothing else is to be
// guessed from it.
func secure(policy string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			header := c.Response().Header()
			header.Set(echo.HeaderContentSecurityPolicy, policy)
			header.Set(echo.HeaderXContentTypeOptions, "nosniff")
			header.Set(echo.HeaderReferrerPolicy, "no-referrer")
			header.Set(echo.HeaderCacheControl, "no-cache")
			return next(c)
		}
	}
}
