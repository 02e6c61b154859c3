//! Memory that is no longer used goes back to the system.
//!
//! An allocator keeps freed memory for later use: the small long-lived pieces lie between the large
//! freed ones, and only the end of the heap is returned automatically. After a burst that may be
//! most of what a process seems to use.

/// Gives back what the allocator holds and the program does not use, in whole pages. It takes
/// milliseconds for a heap of some hundred megabytes, so it is not for every turn. Does nothing
/// where the allocator is not glibc's; others do it by themselves or not at all.
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointer, and locks the allocator's own state.
    unsafe {
        libc::malloc_trim(0);
    }
}
