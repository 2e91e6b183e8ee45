// Package reference holds the contracts of package persistence in memory, in the plainest words that keep them. Many nodes of one process
// can share each of them. They are what the conformance suite is tested on, and what whole clusters are simulated on.
//
// Each is made with the name of a fault, a mistake that it then makes: so a test shows that what should find mistakes does. They are
// not for production: nothing outlives the process and nothing is bounded.
package reference
