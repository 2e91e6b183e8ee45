package main

import (
	"context"
	"testing"
)

// Whatever is written is text: to the page, to the renderer and in the video's frame.
func tellHostile(t *testing.T, browser context.Context, troupe string) {
	prompts := []string{
		`<img src=x onerror=alert(1)>`,
		`%{eif:1} %{pts} '"\ [x];drawtext=text=a:b,c`,
		"Zoë & José 🎬👩‍🚀 שלום \u202eabc ﷽",
		"One line\nand </textarea><script>alert(2)</script>\r\n\tanother ${7*7} {{7*7}}",
	}
	node, p := startChild(t, troupe, "dev", "--queue", "video=2"), openTab(t, browser)
	p.shorten()
	p.visit(node.url("/"))
	p.wait(live)
	for _, prompt := range prompts {
		p.order(prompt)
	}
	for _, prompt := range []string{prompts[0], prompts[1], prompts[2], "another ${7*7} {{7*7}}"} {
		p.status(prompt, "completed")
		p.plays(prompt, 2)
	}
	p.forwards()
	p.timely(node, prompts[0], prompts[1], prompts[2], "another ${7*7} {{7*7}}")
	p.do(reload)
	for _, prompt := range []string{prompts[0], prompts[1], prompts[2], "and </textarea><script>alert(2)</script>\n"} {
		p.wait(`card(` + quoted(prompt) + `)`)
	}
	if n := tabAsk[int](p, `document.querySelectorAll('img:not(.preview), .card script').length`); n != 0 {
		t.Errorf("%d elements of the page were written by a prompt", n)
	}
	p.clean(false)
}
