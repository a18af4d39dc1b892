package neo4j

// EvidenceQuery lets tests see what the query costs.
const EvidenceQuery = evidenceQuery
