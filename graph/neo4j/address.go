package neo4j

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Address says where a database is and who asks.
type Address struct {
	URL      string // scheme, host and port alone
	User     string
	Database string // empty: the default one of the server
}

var schemes = []string{"bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"}

// IsAddress tells whether text has the form of an address, be it right or not.
func IsAddress(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && slices.Contains(schemes, scheme)
}

// ParseAddress reads bolt://[USER@]HOST[:PORT][/DATABASE]; other schemes are
// those of Neo4j: bolt+s and bolt+ssc encrypt (the latter with a certificate that
// nobody vouches for), neo4j, neo4j+s and neo4j+ssc are for clusters. USER is
// neo4j when it is left out. An address with a password is refused, since
// addresses end up in logs and lists of processes; the error does not repeat it.
func ParseAddress(text string) (Address, error) {
	const form = "bolt://[USER@]HOST[:PORT][/DATABASE]"
	u, err := url.Parse(text)
	if err != nil {
		return Address{}, fmt.Errorf("the address of the store is not of the form %s", form)
	}
	if _, has := u.User.Password(); has {
		return Address{}, fmt.Errorf("the address of the store at %s holds a password: leave it out, and give it in a file or in the environment", u.Host)
	}
	database := strings.TrimPrefix(u.Path, "/")
	if !IsAddress(text) || u.Hostname() == "" || strings.Contains(database, "/") || u.RawQuery != "" || u.Fragment != "" {
		return Address{}, fmt.Errorf("the address %q of the store is not of the form %s, with one of the schemes %s",
			text, form, strings.Join(schemes, ", "))
	}
	user := u.User.Username()
	if user == "" {
		user = "neo4j"
	}
	return Address{URL: u.Scheme + "://" + u.Host, User: user, Database: database}, nil
}

// String gives the address without the user.
func (a Address) String() string {
	if a.Database == "" {
		return a.URL
	}
	return a.URL + "/" + a.Database
}
