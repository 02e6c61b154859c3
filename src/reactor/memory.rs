//! Memory that is no longer used goes back to the system.
//!
//! An allocator keeps what is freed, for the next time. Most of it: the small pieces that live
//! long lie between the large ones that were freed, and only the end of the heap is given back by
//! itself. After a burst that may be most of what a process seems to use.

/// Gives back what the allocator holds and the program does not use, in whole pages. It takes
/// milliseconds for a heap of some hundred megabytes, so it is not for every turn. Does nothing where the allocator is not glibc's;
/// others do it by themselves or not at all.
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointer, and locks the allocator's own state.
    unsafe {
        libc::malloc_trim(0);
    }
}
