// Package layoutcache keeps the machine code of the layout engine of pictures out of the
// folder for temporary files, which all people of a machine share.
//
// go-graphviz compiles its WebAssembly while the program starts, and keeps what comes of
// that in the folder go-graphviz of os.TempDir, where it looks again. When somebody else
// had made that folder, the program, whatever it was to do, ended with a panic: their
// files cannot be read. And who makes it first decides which code the others run. So
// TempDir is the folder for what keci can make again (see [cachedir]) until Restore is
// called, or nowhere where that one cannot be used: the engine is then compiled in each
// process, in half a second.
//
// Of the packages whose imports are ready, the one with the first path is initialized
// next ("Program initialization" in the Go specification). This one imports the standard
// library alone, and its path comes before that of wazero, without which go-graphviz is
// never ready. So it is initialized before both.
package layoutcache
