package api

import (
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/labstack/echo/v4"
)

// minCompressed is the size in bytes from which an answer is worth compressing.
const minCompressed = 1 << 10

// compressed makes a handler compress its answers by zstd or gzip for those who
// accept it. Events are sent as they are, lest they wait in a buffer.
func compressed(handler http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressed), gzhttp.ContentTypeFilter(func(media string) bool {
		return !strings.HasPrefix(media, eventStream) && gzhttp.DefaultContentTypeFilter(media)
	}))
	if err != nil {
		return nil, err
	}
	return wrap(handler), nil
}

// decompress lets clients send bodies compressed. The limits of sizes count what
// comes out.
func decompress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		request := c.Request()
		body, err := decompressed(request.Header.Get(echo.HeaderContentEncoding), request.Body)
		if err != nil {
			return err
		}
		if body != request.Body {
			defer body.Close()
			request.Body, request.ContentLength = body, -1
			request.Header.Del(echo.HeaderContentLength)
			request.Header.Del(echo.HeaderContentEncoding)
		}
		return next(c)
	}
}

// zstdWindow bounds the memory, in bytes, that a compressed body can ask for.
const zstdWindow = 8 << 20

func decompressed(encoding string, body io.ReadCloser) (io.ReadCloser, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, nil
	case "gzip":
		reader, err := gzip.NewReader(body)
		if err != nil {
			return nil, newProblem(http.StatusBadRequest, "", "the body is not gzip, as Content-Encoding says: %v", err)
		}
		return reader, nil
	case "zstd":
		reader, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, newProblem(http.StatusBadRequest, "", "the body is not zstd, as Content-Encoding says: %v", err)
		}
		return reader.IOReadCloser(), nil
	}
	return nil, newProblem(http.StatusUnsupportedMediaType, "", "the body is encoded by %q; send it as it is, or by gzip or zstd", encoding)
}
