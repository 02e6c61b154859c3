//! The files of the page: built in, each with its type and with what its browser may do.
//!
//! The page needs nothing from elsewhere, so nothing from elsewhere is allowed: a text that would
//! slip through as markup could load no script, and send nothing to anyone.

use crate::wire::http::Response;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'";

/// A file of the page.
pub(super) struct File {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const FILES: &[File] = &[
    File { path: "/", content_type: HTML, text: include_str!("../web/index.html") },
    File { path: "/chat.css", content_type: CSS, text: include_str!("../web/chat.css") },
    File { path: "/view.js", content_type: JS, text: include_str!("../web/view.js") },
    File { path: "/client.js", content_type: JS, text: include_str!("../web/client.js") },
    File { path: "/commands.js", content_type: JS, text: include_str!("../web/commands.js") },
    File { path: "/irc.js", content_type: JS, text: include_str!("../web/irc.js") },
    File { path: "/files.js", content_type: JS, text: include_str!("../web/files.js") },
    File { path: "/text.js", content_type: JS, text: include_str!("../web/text.js") },
    File { path: "/share.js", content_type: JS, text: include_str!("../web/share.js") },
    File { path: "/settings.js", content_type: JS, text: include_str!("../web/settings.js") },
    File { path: "/scram.js", content_type: JS, text: include_str!("../web/scram.js") },
    File { path: "/loop", content_type: HTML, text: include_str!("../web/loop.html") },
    File { path: "/loop.css", content_type: CSS, text: include_str!("../web/loop.css") },
    File { path: "/loop.js", content_type: JS, text: include_str!("../web/loop.js") },
    File { path: "/loop-model.js", content_type: JS, text: include_str!("../web/loop-model.js") },
    File { path: "/icon.svg", content_type: SVG, text: include_str!("../web/icon.svg") },
];

/// The file at this path.
pub(super) fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    /// Whether a WebSocket is opened at its path, too.
    pub(super) fn has_socket(&self) -> bool {
        matches!(self.path, "/" | "/loop")
    }

    pub(super) fn response(&self) -> Response {
        let (content_type, body) = (self.content_type, self.text.as_bytes().into());
        Response { content_type, body, ..Response::text(200, "") }
            .with("Cache-Control", "no-cache")
            .with("Content-Security-Policy", POLICY)
            .with("Cross-Origin-Opener-Policy", "same-origin")
            .with("Referrer-Policy", "no-referrer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> &'static str {
        file(path).unwrap().text
    }

    /// What stands between `before` and `after`, at each place.
    fn between<'t>(text: &'t str, before: &str, after: char) -> Vec<&'t str> {
        let parts = text.split(before).skip(1);
        parts.filter_map(|part| part.split_once(after)).map(|(inside, _)| inside).collect()
    }

    /// The policy would forbid it, and the page would be broken in a browser and nowhere else.
    #[test]
    fn the_page_needs_nothing_that_its_policy_forbids() {
        for page in ["/", "/loop"].map(text) {
            for attribute in between(page, "=\"", '"') {
                assert!(
                    !attribute.contains("//") && !attribute.starts_with("javascript"),
                    "{attribute}"
                );
            }
            for forbidden in ["<style", " style=", " onclick", " onload", "<script>", "data:"] {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
            let paths = between(page, "href=\"", '"');
            for path in paths.into_iter().chain(between(page, "src=\"", '"')) {
                let is_here =
                    path.strip_prefix('#').map(|id| page.contains(&format!("id=\"{id}\"")));
                assert!(is_here.unwrap_or_else(|| file(path).is_some()), "{path} is not served");
            }
        }
        for script in FILES.iter().filter(|file| file.content_type == JS) {
            for markup in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!script.text.contains(markup), "{} has {markup}", script.path);
            }
            let imported = between(script.text, "from './", '\'').into_iter();
            for name in imported.chain(between(script.text, "import('./", '\'')) {
                assert!(file(&format!("/{name}")).is_some(), "{name} is not served");
            }
        }
        for sheet in ["/chat.css", "/loop.css"].map(text) {
            assert!(!sheet.contains("url(") && !sheet.contains("@import"));
        }
    }

    #[test]
    fn every_element_that_the_script_looks_for_is_there() {
        let scripts = [("/", "/view.js"), ("/", "/settings.js"), ("/loop", "/loop.js")];
        for (page, script) in scripts {
            let page = text(page);
            for selector in between(text(script), "$('#", '\'') {
                let id = selector.split(' ').next().unwrap();
                assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
    }

    /// It is to be read, and to load over a slow line.
    #[test]
    fn the_page_stays_small() {
        let (shows_loop, chats): (Vec<&File>, Vec<&File>) =
            FILES.iter().partition(|file| file.path.starts_with("/loop"));
        for files in [shows_loop, chats] {
            let bytes: usize = files.iter().map(|file| file.text.len()).sum();
            assert!(bytes < 95_000, "{bytes}");
        }
    }
}
