package main

import (
	"github.com/keci-kg/keci/fusion/hnm"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/multitask"
	"github.com/keci-kg/keci/fusion/remedi"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// systems are the ways to extract that this program has.
var systems = system.Registry{keci.System{}, multitask.System{}, remedi.System{}, hnm.System{}}

// modelKnowledge is what a model needs of a knowledge base.
func modelKnowledge(kb *knowledgebase.KnowledgeBase) system.KnowledgeBase {
	return system.KnowledgeBase{Linker: kb.Linker, Knowledge: kb.Knowledge, Provenance: *kb.Provenance()}
}
