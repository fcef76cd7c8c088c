"""HTML that would act, load or pretend, if it could: each piece alone, written for these tests."""

# ruff: noqa: E501  -- each piece is one line, as it would stand in a mail

ELSEWHERE = "http://tracker.example"

PIECES = {
    "script": "<script>parent.postMessage('in','*');document.title='in'</script>",
    "script from elsewhere": f"<script src='{ELSEWHERE}/s.js'></script>",
    "module": f"<script type=module>import '{ELSEWHERE}/m.js'</script>",
    "handler": "<img src=x onerror='document.title=1'><b onmouseover=alert(1)>b</b><body onload=alert(1)>",
    "picture": f"<img src='{ELSEWHERE}/p.png'><img srcset='{ELSEWHERE}/q.png 2x'><input type=image src={ELSEWHERE}/i>",
    "picture element": f"<picture><source srcset='{ELSEWHERE}/a.webp'><img></picture>",
    "background": f"<table background='{ELSEWHERE}/b.png'><td background={ELSEWHERE}/c.png>x</table><body background={ELSEWHERE}/d>",
    "style": f"<style>@import '{ELSEWHERE}/s.css';@font-face{{font-family:f;src:url({ELSEWHERE}/f)}}body{{background:url({ELSEWHERE}/u);font-family:f}}</style>",
    "style attribute": f"<div style='background:url({ELSEWHERE}/x);position:fixed;inset:0;z-index:9'>x</div>",
    "old style": "<div style='width:expression(alert(1));behavior:url(#x);-moz-binding:url(x)'>x</div>",
    "style sheet": f"<link rel=stylesheet href={ELSEWHERE}/l.css><link rel=preload as=image href={ELSEWHERE}/l>",
    "prefetch": f"<link rel=dns-prefetch href={ELSEWHERE}><link rel=prefetch href={ELSEWHERE}/p><link rel=prerender href={ELSEWHERE}/r>",
    "refresh": f"<meta http-equiv=refresh content='0;url={ELSEWHERE}/r'>",
    "base": f"<base href='{ELSEWHERE}/' target=_top><a href=x>x</a><img src=relative.png>",
    "policy": "<meta http-equiv=Content-Security-Policy content='default-src *'>",
    "form": f"<form action={ELSEWHERE}/f><input name=password autofocus><button formaction={ELSEWHERE}>go</button></form>",
    "link": f"<a href={ELSEWHERE}/a>a</a><a href=javascript:alert(1)>b</a><a href='data:text/html,<script>1</script>'>c</a><a ping={ELSEWHERE}/ping href=#>d</a>",
    "link in disguise": "<a href='java&#9;script:alert(1)'>a</a><a href=' javascript:1'>b</a><a href='vbscript:x'>c</a>",
    "frame": f"<iframe src={ELSEWHERE}/i></iframe><iframe srcdoc='<script>top.x=1</script>'></iframe><frameset><frame src={ELSEWHERE}></frameset>",
    "object": f"<object data={ELSEWHERE}/o></object><embed src={ELSEWHERE}/e><applet code=x archive={ELSEWHERE}/a.jar></applet>",
    "svg": f"<svg onload=alert(1)><script>alert(1)</script><image href={ELSEWHERE}/i /><use href={ELSEWHERE}/u#x /><foreignObject><img src={ELSEWHERE}/f></foreignObject></svg>",
    "svg animation": "<svg><a><animate attributeName=href values=javascript:alert(1) /><text>x</text></a><set attributeName=onload to=alert(1) /></svg>",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "media": f"<video src={ELSEWHERE}/v poster={ELSEWHERE}/p autoplay></video><audio src={ELSEWHERE}/a autoplay></audio><track src={ELSEWHERE}/t>",
    "template": f"<template><img src={ELSEWHERE}/t></template><noscript><img src={ELSEWHERE}/n></noscript>",
    "comment": "<!--[if mso]><script>alert(1)</script><![endif]--><!--><img src=x onerror=alert(1)>-->",
    "cdata": "<![CDATA[<script>alert(1)</script>]]><?xml-stylesheet href='x'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "data": "<img src='data:image/svg+xml,<svg xmlns=%22http://www.w3.org/2000/svg%22 onload=%22alert(1)%22/>'><iframe src='data:text/html,<script>1</script>'></iframe>",
    "unclosed": f"<img src={ELSEWHERE}/a alt='<b><i><table><tr><td>",
    "clobber": "<form id=body name=cookie><input name=submit></form><a id=documentElement name=x>x</a><img name=currentScript>",
    "entities": f"<img src='&#104;ttp://tracker.example/e'><img src='HTTP:{ELSEWHERE[5:]}/case'><img src='//tracker.example/rel'><img src='\\\\\\\\tracker.example\\\\b'>",
    "deep": "<div>" * 3000 + "deep" + "</div>" * 3000,
    "attributes": "<b " + " ".join(f"a{n}=x" for n in range(2000)) + ">many</b>",
    "portal": f"<portal src={ELSEWHERE}/x></portal><dialog open>d</dialog><details ontoggle=alert(1) open>x</details><marquee onstart=alert(1)>m</marquee>",
    "text": f"<xmp><img src={ELSEWHERE}/x></xmp><plaintext><img src={ELSEWHERE}/y>",
}
