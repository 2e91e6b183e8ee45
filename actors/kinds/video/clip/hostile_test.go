package clip

import "strings"

// hostile are texts that break careless renderers.
var hostile = map[string]string{
	"expansion":   `%{eif:1} %{pts} %% $(id) ${HOME} ` + "`id`",
	"escapes":     `':\ '\'' [in][out];drawtext=text=x,scale=1:1 "quoted" \n \x00`,
	"option":      `-i /etc/passwd -y; rm -rf / | cat > x & @file file:///etc/passwd`,
	"newlines":    "one\ntwo\r\nthree\n\n\n\nfour\u2028five\u2029six\vseven",
	"controls":    "a\x00b\x1b[31mred\x1b[0m\x07\x7f\u0085c\ufffe\ufeff",
	"broken":      "caf\xe9 \xff\xfe \xed\xa0\x80 ok",
	"right":       "שלום עולם (2024) abc. مرحبا بالعالم",
	"overrides":   "abc \u202egnp.exe\u202c \u2066x\u2069",
	"emoji":       "Launch 🚀😀👨‍👩‍👧‍👦🇩🇪👍🏽 now ✨",
	"accents":     "Crème brûlée à la façon d’Œdipe — Zürich, Łódź, Việt Nam",
	"combining":   "e\u0301\u0302\u0303\u0304 Z" + strings.Repeat("\u0336\u0335", 60),
	"cjk":         "日本語のテキストは空白なしで折り返されます。二番目の文です。",
	"unknown":     "\U0001f9ff\U000e0041\uE000\U0010fffd \u0378",
	"single":      "x",
	"one mark":    "\u0301a",
	"long word":   strings.Repeat("x", 2000),
	"long":        strings.Repeat("The light falls over the harbour, and nobody forgets it. ", 35),
	"many lines":  strings.Repeat("a\n", 1000),
	"many spaces": strings.Repeat("a ", 1000),
	"wide":        strings.Repeat("漢", 2000),
	"boxes":       strings.Repeat("🚀", 2000),
	"marks":       "a" + strings.Repeat("\u0301", 1999),
	"joiners":     strings.Repeat("\u200d", 1999) + "a",
	"punctuation": strings.Repeat("?!.,:;-–—…", 200),
}
