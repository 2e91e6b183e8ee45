// Package fetch gets an image from an address that a stranger gave, without becoming the stranger's hand inside the network.
//
// Every connection is judged after the name was resolved, at the moment it is made: to a public address and an allowed
// port or not at all. So neither a redirect, nor a name that resolves to two things, nor an unusual spelling of an
// address leads inside. What comes back is bounded in bytes, in time and, before a pixel is decoded, in pixels, and
// is taken for what its first bytes say it is, whatever the server calls it.
package fetch
