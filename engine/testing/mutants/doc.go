// Package mutants holds planted bugs: each .patch breaks the program in one way
// that is easy to get wrong, and names the tests that must fail. A test suite
// that lets one through is too weak. Run them with: make mutants
package mutants
