// Command clients does the steps of the scenario with a published registry client, which its argument names.
// It reads the task from the standard input and tells of each step on a line of JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// Task is what a client is given to work with.
type Task struct {
	URL      string            `json:"url"`
	Odd      string            `json:"odd_subject"`
	Schemas  map[string]string `json:"schemas"`
	Sent     Sent              `json:"sent"`
	Order    Order             `json:"order"`
	Metadata json.RawMessage   `json:"metadata"`
	Rules    json.RawMessage   `json:"rules"`

	SentMessage  []byte `json:"sent_message"`
	OrderMessage []byte `json:"order_message"`
	SentBody     []byte `json:"sent_body"`
	SentHeader   []byte `json:"sent_header"`
}

// Sent and Inner are the records of schema "sent", Order is that of "order".
type (
	Inner struct {
		N int32 `json:"n" avro:"n"`
	}
	Sent struct {
		ID      int64             `json:"id" avro:"id"`
		Note    *string           `json:"note" avro:"note"`
		Nothing *string           `json:"nothing" avro:"nothing"`
		Amounts []float64         `json:"amounts" avro:"amounts"`
		Tags    map[string]string `json:"tags" avro:"tags"`
		Inner   Inner             `json:"inner" avro:"inner"`
		Flag    bool              `json:"flag" avro:"flag"`
	}
	Order struct {
		ID     int64  `json:"id" avro:"id"`
		Status string `json:"status" avro:"status"`
	}
)

const (
	payments = "payments-value"
	doomed   = "doomed-value"
)

// failure is an error as it is told: zero where the client does not tell status or code.
type failure struct {
	Status  int    `json:"status,omitempty"`
	Code    int    `json:"code,omitempty"`
	Message string `json:"message"`
}

// describe is set by each client: what its errors tell.
var describe func(error) failure

// step tells of what was got, or of the error.
func step(name string, got any, err error) {
	line := map[string]any{"step": name, "got": got}
	if err != nil {
		line = map[string]any{"step": name, "error": describe(err)}
	}
	must(json.NewEncoder(os.Stdout).Encode(line))
}

// must ends the program on an error in what is no step.
func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	clients := map[string]func(Task){"confluent": confluent, "franz": franz}
	var task Task
	must(json.NewDecoder(os.Stdin).Decode(&task))
	clients[os.Args[1]](task)
}
