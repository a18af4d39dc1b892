package keci

import (
	"slices"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/modeldir"
)

// Describe reads what a model directory holds, without an engine.
func Describe(dir string) (fusion.ModelInfo, Config, error) {
	cfg, err := modeldir.ReadConfig[Config](dir)
	if err != nil {
		return fusion.ModelInfo{}, Config{}, err
	}
	info := describe(cfg)
	if info.Parameters, info.Digest, err = modeldir.Measure(dir); err != nil {
		return fusion.ModelInfo{}, Config{}, err
	}
	return info, cfg, nil
}

// describe is what a configuration tells of a model: with the labels of all heads.
func describe(cfg Config) fusion.ModelInfo {
	info := fusion.ModelInfo{Name: cfg.Name, Variant: string(cfg.Variant), EntityTypes: []string{}, RelationLabels: []string{}}
	for _, h := range cfg.heads() {
		info.EntityTypes = cfg.appendTold(info.EntityTypes, h, h.EntityTypes[1:])
		info.RelationLabels = cfg.appendTold(info.RelationLabels, h, h.RelationLabels[1:])
	}
	return info
}

func (c Config) appendTold(list []string, h Head, labels []string) []string {
	for _, label := range labels {
		if told := c.told(h, label); !slices.Contains(list, told) {
			list = append(list, told)
		}
	}
	return list
}
