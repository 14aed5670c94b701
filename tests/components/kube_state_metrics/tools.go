//go:build tools

// Package tools keeps the version of kube-state-metrics in go.mod and go.sum: setup.sh builds it as it is.
package tools

import _ "k8s.io/kube-state-metrics/v2"
