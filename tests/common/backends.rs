//! One named test per backend of this system, for functions that take a backend.

/// `per_backend! { works }` makes `epoll::works`, `poll::works` and so on, each of which calls
/// `works(backend)`.
macro_rules! per_backend {
    ($($test:ident)*) => {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        mod epoll {
            $(#[test] fn $test() { super::$test(super::Backend::Epoll); })*
        }
        #[cfg(any(
            target_vendor = "apple",
            target_os = "freebsd",
            target_os = "netbsd",
            target_os = "openbsd",
            target_os = "dragonfly",
            all(target_os = "linux", feature = "kqueue-stand-in")
        ))]
        mod kqueue {
            $(#[test] fn $test() { super::$test(super::Backend::Kqueue); })*
        }
        mod poll {
            $(#[test] fn $test() { super::$test(super::Backend::Poll); })*
        }
        mod select {
            $(#[test] fn $test() { super::$test(super::Backend::Select); })*
        }
    };
}
