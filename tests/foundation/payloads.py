"""What a hostile response may try. Each payload calls `canary()` or loads `/canary` if a browser can be made to."""

SCRIPTS = [
    "<script>canary()</script>",
    "<SCRIPT SRC=/canary></SCRIPT>",
    "<scr<script>ipt>canary()</scr</script>ipt>",
    "<script\n>canary()</script\n>",
    "<script/x>canary()</script>",
    "<<script>canary()//<</script>",
    "<script>/*</script><script>*/canary()</script>",
    "<noscript><p title='</noscript><script>canary()</script>'>",
    "<template><script>canary()</script></template>",
    "<textarea></textarea><script>canary()</script>",
    "<title></title><script>canary()</script>",
    "<!--><script>canary()</script>-->",
    "<!--[if true]><script>canary()</script><![endif]-->",
    "<![CDATA[<script>canary()</script>]]>",
    "<?xml version='1.0'?><script>canary()</script>",
]
HANDLERS = [
    "<img src=x onerror=canary()>",
    "<img src=x:x oNeRrOr='canary()'>",
    "<img/src=x/onerror=canary()>",
    '<a href="#" onmouseover="canary()">hover</a>',
    "<body onload=canary()>",
    "<details open ontoggle=canary()><summary>s</summary></details>",
    "<video><source onerror=canary()></video>",
    "<audio src=x onerror=canary()>",
    "<input autofocus onfocus=canary()>",
    "<select autofocus onfocus=canary()></select>",
    "<marquee onstart=canary()>m</marquee>",
    "<p tabindex=0 onfocus=canary() autofocus>p</p>",
    "<b style='animation:x 1s' onanimationstart=canary()>b</b>",
    "<iframe onload=canary()></iframe>",
    "<img src='x` `<script>canary()</script>'` `>",
    '<img alt="`><img src=x onerror=canary()>">',
]
ADDRESSES = [
    "[click](javascript:canary())",
    "[click](JaVaScRiPt:canary())",
    "[click](  javascript:canary())",
    "[click](java\tscript:canary())",
    "[click](javascript&colon;canary())",
    "[click](&#106;avascript:canary())",
    "[click](&#x6A&#x61vascript:canary())",
    "[click](<javascript:canary()>)",
    "[click](\x01javascript:canary())",
    "[click](vbscript:canary)",
    "[click](data:text/html,<script>canary()</script>)",
    "[click](data:text/html;base64,PHNjcmlwdD5jYW5hcnkoKTwvc2NyaXB0Pg==)",
    "[click](file:///etc/passwd)",
    "[click](blob:http://localhost/canary)",
    "[click](//canary.invalid/x)",
    "[click](/account/logout/)",
    "[click](?next=x)",
    "<javascript:canary()>",
    "[a]: javascript:canary()\n\n[a]",
    '[click](http://ok.example" onclick="canary())',
    "[click](<http://ok.example\" onmouseover='canary()'>)",
    '[click](http://ok.example "title\\" onclick=\\"canary()")',
    "<a href='javascript:canary()'>raw</a>",
    "<a href='https://ok.example' target='_self' rel='opener'>raw</a>",
    "<form action=javascript:canary()><button>b</button></form>",
    "<base href='https://canary.invalid/'>",
    "<meta http-equiv=refresh content='0;url=javascript:canary()'>",
]
IMAGES = [
    "![alt](/canary)",
    '![alt" onerror="canary()](/canary)',
    "![alt](https://canary.invalid/pixel.gif)",
    '![alt](x "title" onerror=canary())',
    "![![inner](/canary)](/canary)",
    "[![alt](/canary)](javascript:canary())",
    "![<script>canary()</script>](https://ok.example/i.png)",
    "<img src=/canary>",
    "<img srcset='/canary 1x'>",
    "<picture><source srcset=/canary><img></picture>",
    "<link rel=stylesheet href=/canary>",
    "<link rel=prefetch href=/canary>",
    "<video poster=/canary></video>",
    "<object data=/canary></object>",
    "<embed src=/canary>",
    "<iframe srcdoc='<script>parent.canary()</script>'></iframe>",
    "<table background=/canary><tr><td>x</td></tr></table>",
]
STYLES = [
    "<style>*{background:url(/canary)}</style>",
    "<style>@import '/canary';</style>",
    "<p style='background:url(/canary)'>p</p>",
    "<div style='position:fixed;inset:0'>cover</div>",
    "<b class='button button--primary' id='vote'>borrowed</b>",
    "<span class='code-keyword toast'>borrowed</span>",
    "<font color=red size=7>f</font>",
]
HTMX = [
    "<div hx-post='/canary' hx-trigger='load'>x</div>",
    "<div data-hx-get='/canary' data-hx-trigger='load'>x</div>",
    "<p hx-get='/canary' hx-trigger='revealed'>p</p>",
    "<a href='https://ok.example' hx-boost='true' hx-get='/canary' hx-trigger='load'>x</a>",
    "<div hx-ext='sse' sse-connect='/canary' sse-swap='message'>x</div>",
    "<code hx-on::load='canary()' hx-on:click='canary()'>x</code>",
    "<span data-hotkey='a' data-local data-script='on load canary()'>x</span>",
    "[x](https://ok.example){hx-get=/canary hx-trigger=load}",
    "| a |{hx-get=/canary}\n|:-:|\n| <b hx-get=/canary hx-trigger=load>x</b> |",
    "```python hx-get=/canary hx-trigger=load\nx\n```",
    '```"><img src=x onerror=canary()>\nx\n```',
    "```html\n<script>canary()</script><img src=x onerror=canary()>\n```",
]
MUTATIONS = [
    "<svg onload=canary()>",
    "<svg><script>canary()</script></svg>",
    "<svg><style><img src=x onerror=canary()></style></svg>",
    "<svg><a xlink:href='javascript:canary()'><text>t</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg onload=canary()>'/></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=canary()>'>",
    "<svg><foreignObject><img src=x onerror=canary()></foreignObject></svg>",
    "<svg><animate onbegin=canary() attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=canary()></style></mglyph></table></mtext></math>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=canary()></style></mglyph></form>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=canary()></annotation-xml></math>",
    "<math href='javascript:canary()'><mi>x</mi></math>",
    "<math><mi xlink:href='javascript:canary()' style='background:url(/canary)'>x</mi></math>",
    "<math><maction actiontype='statusline#javascript:canary()'><mi>x</mi></maction></math>",
    "<math><mi><b><style><!--</style><img title='--></style><img src=x onerror=canary()>'></b></mi></math>",
    "<math><mtext><p><style><!--</style><img title='--><img src=x onerror=canary()>'></p></mtext></math>",
    "<table><math><mi><table><tr><td><img src=x onerror=canary()></td></tr></table></mi></math></table>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=canary()>",
    "<p><math><mo><plaintext></mo></math><img src=x onerror=canary()>",
    "<xmp><p title='</xmp><img src=x onerror=canary()>'>",
    "<listing>&lt;img src=x onerror=canary()&gt;</listing>",
]
FORMULAS = [
    r"$\text{<img src=x onerror=canary()>}$",
    r"$\text{</math><script>canary()</script>}$",
    r"\(\mbox{<svg onload=canary()>}\)",
    "$$\n\\text{<script>canary()</script>}\n$$",
    r"$\href{javascript:canary()}{x}$",
    r"$\style{background:url(/canary)}{x}$",
    r"$\class{button}{x} \id{vote}{y}$",
    r"$\color{red;background:url(/canary)}{x}$",
    r"$\unicode{x3C}script\unicode{x3E} <script>canary()</script>$",
    r"$&lt;script&gt;canary()&lt;/script&gt; &#60;img src=x onerror=canary()&#62;$",
    r"\[\text{" + "<b hx-get=/canary hx-trigger=load>" * 3 + r"}\]",
    r"$\begin{array}{c}<script>canary()</script>\\x\end{array}$",
    r"$\hspace{-99em}\rule{99em}{99em}x$",
    r"$\<script>canary()\</script>$",
]
UNICODE = [
    "<\u017fcript>canary()</\u017fcript>",
    "\uff1cscript\uff1ecanary()\uff1c/script\uff1e",
    "<img src=x one\u0000rror=canary()>",
    "<\x00script>canary()</script>",
    "<script\x0b>canary()</script>",
    "\ufeff<script>canary()</script>",
    "+ADw-script+AD4-canary()+ADw-/script+AD4-",
    "\u202e<script>canary()</script>\u202c",
    "[click](java\u200bscript:canary())",
    "[click](\u2028javascript:canary())",
    "\ud83d<script>canary()</script>",
    "&lt;script&gt;canary()&lt;/script&gt;",
    "&amp;lt;script&amp;gt;canary()&amp;lt;/script&amp;gt;",
    "&#60;script&#62;canary()&#60;/script&#62;",
    "\\<script>canary()\\</script>",
]
# Who knows the battle's address and the names of its form; the site's tests put the real address for `/canary/vote`.
SELF_VOTES = [
    "<div hx-post='/canary/vote' hx-trigger='load' hx-include='[name=key],[name=turn_count]' "
    'hx-vals=\'{"preference":"a","preference.strength":"1"}\'>x</div>',
    "<form hx-post='/canary/vote' hx-trigger='load delay:1ms' hx-include='form.votebar'><input name=preference value=a>"
    "<input name=preference.strength value=1></form>",
    "<div data-hx-post='/canary/vote' data-hx-trigger='intersect once' data-hx-include='form'>x</div>",
    "<p hx-post='/canary/vote' hx-trigger='mouseenter, focusin, every 1s' hx-include='closest body'>x</p>",
    "<form method=post action='/canary/vote'><input name=preference value=a><button autofocus>b</button></form>",
    "<button formaction='/canary/vote' formmethod=post accesskey=a>b</button>",
    "<input name=preference value=a type=radio checked><input name=preference.strength value=1>",
    "<div hx-swap-oob='outerHTML:form.votebar'>mine</div>",
    "<div hx-get='/canary' hx-trigger='load' hx-target='form.votebar' hx-swap='outerHTML'>x</div>",
    "<div hx-ext='hx-sse' sse-connect='/canary' sse-swap='message' hx-swap='beforeend'>x</div>",
    "<div hx-ext='ws' ws-connect='/canary'><form ws-send><input name=preference value=a></form></div>",
    "<div hx-delete='/canary' hx-trigger='load' hx-confirm='Vote?'>x</div>",
    "<div hx-put='/canary' hx-trigger='load' hx-headers='{\"X-CSRFToken\":\"x\"}'>x</div>",
    "<div hx-get='/canary' hx-trigger='load' hx-vals='js:{preference: canary()}'>x</div>",
    "<div hx-get='/canary' hx-trigger='load[canary()]'>x</div>",
    "<div hx-get='/canary' hx-trigger='load' hx-push-url='/canary' hx-history-elt>x</div>",
    # Out of whatever it stands in, and with marks that look like the site's.
    "</div></div></section></article></div></main><i data-foreign-end='0'></i><div data-foreign='0'></div>"
    "<div hx-post='/canary/vote' hx-trigger='load' hx-include='[name=key],[name=turn_count]' "
    'hx-vals=\'{"preference":"a","preference.strength":"1"}\'>x</div>',
]
BEACONS = [
    "<style>input[name=key][value^=a]{background:url(/canary)}</style>",
    "<style>@font-face{font-family:c;src:url(/canary)}*{font-family:c}</style>",
    "<p style='background:image-set(\"/canary\" 1x)'>p</p>",
    "<p style='list-style:url(/canary);display:list-item'>p</p>",
    "<p style='border-image-source:url(https://canary.invalid/b)'>p</p>",
    "<svg><image href=/canary /></svg>",
    "<svg><filter id=f><feImage href=/canary /></filter><rect filter=url(#f) width=9 height=9 /></svg>",
    "<svg><style>rect{fill:url(/canary#p)}</style><rect width=9 height=9 /></svg>",
    "<svg><a href='https://canary.invalid/a' ping=/canary><text>t</text></a></svg>",
    "<math><mglyph src=/canary /></math>",
    "<math><semantics><annotation-xml src=/canary><mi>x</mi></annotation-xml></semantics></math>",
    "<input type=image src=/canary>",
    "<video autoplay muted src=/canary></video>",
    "<audio autoplay src=/canary></audio>",
    "<video><track default kind=captions src=/canary></video>",
    "<a href='https://ok.example' ping='https://canary.invalid/ping'>raw</a>",
    "<link rel=preconnect href=https://canary.invalid>",
    "<link rel=modulepreload href=/canary>",
    "<link rel=manifest href=/canary>",
    "<iframe src=/canary></iframe>",
    "<img src=/canary loading=lazy referrerpolicy=unsafe-url>",
    "<body background=/canary>",
    "<meta http-equiv=refresh content='9;url=https://canary.invalid/'>",
    "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\">",
]
EVENTS = [
    "<style>@keyframes c{}</style><b style='animation:c 1ms' onanimationstart=canary()>b</b>",
    "<b tabindex=1 style='transition:color 1ms' ontransitionrun=canary() autofocus>b</b>",
    "<input autofocus onblur=canary()><input autofocus>",
    "<video autoplay onloadstart=canary()><source src=/canary></video>",
    "<style onload=canary()>p{}</style>",
    "<link rel=stylesheet href=data:text/css, onload=canary()>",
    "<object data=x onerror=canary()></object>",
    "<div popover id=pop onbeforetoggle=canary()>p</div><button popovertarget=pop autofocus>b</button>",
    "<button commandfor=pop command=show-popover onfocus=canary() autofocus>b</button>",
    "<dialog open onclose=canary()><form method=dialog><button autofocus>b</button></form></dialog>",
    "<div style='content-visibility:auto' oncontentvisibilityautostatechange=canary()>x</div>",
    "<div contenteditable autofocus onfocus=canary()>x</div>",
    "<svg><set onbegin=canary() attributeName=x dur=1ms></set></svg>",
    "<svg><animate href=#go attributeName=href values=javascript:canary() /><a id=go><text>t</text></a></svg>",
    "<select><option><style></option></select><img src=x onerror=canary()></style>",
]
# What scripts and forms of the page find by name.
CLOBBERS = [
    "<form id=htmx name=htmx><input name=config><input name=ajax></form>",
    "<img name=querySelector><img name=getElementById>",
    "<input name=csrfmiddlewaretoken value=x form=vote><input name=key value=x>",
    "<main id=main>mine</main><div id=toasts data-side=a data-text data-stream=/canary data-page=/canary>x</div>",
]
# As files are called.
NAMES = [
    '![clip" onerror=canary() x=".mp4](media:clip)',
    "report<img src=x onerror=canary()>.pdf",
    "\u202egpj.<script>canary()</script>",
    "../../<svg onload=canary()>.png",
    "a.png' onload='canary()",
]
PAYLOADS = (
    SCRIPTS
    + HANDLERS
    + ADDRESSES
    + IMAGES
    + STYLES
    + HTMX
    + MUTATIONS
    + FORMULAS
    + UNICODE
    + SELF_VOTES
    + BEACONS
    + EVENTS
    + CLOBBERS
    + NAMES
)

# Around a payload, what may change how it is read.
SURROUNDINGS = [
    "{}",
    "text {} text",
    "> {}",
    "- {}\n- {}",
    "# {}",
    "| a | b |\n|---|:-:|\n| {} | x |",
    "**{}**",
    "[{}](https://ok.example)",
    "`{}`",
    "```\n{}\n```",
    "```html\n{}\n```",
    "$x$ {} $y$",
    "~~{}~~",
]
