//! Memory: how much there may be, and giving back what is no longer used.
//!
//! An allocator keeps freed memory for later use: the small long-lived pieces lie between the large
//! freed ones, and only the end of the heap is returned automatically. After a burst that may be
//! most of what a process seems to use.

use nix::sys::resource::{Resource, getrlimit};
use std::fs;
use std::path::{Path, PathBuf};

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

/// From here on each block of 128 KiB or more is mapped by itself, so that it goes back to the system when it
/// is freed, whichever thread does that. glibc begins so, but raises the bound to the size of what is freed:
/// the next such block would lie at the end of its thread's heap, which [`trim`] does not cut. Does nothing
/// where the allocator is not glibc's.
pub fn map_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointer, and locks the allocator's own state.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024);
    }
}

/// The limit of address space, which FreeBSD calls by another name.
#[cfg(not(target_os = "freebsd"))]
const ADDRESS_SPACE: Resource = Resource::RLIMIT_AS;
#[cfg(target_os = "freebsd")]
const ADDRESS_SPACE: Resource = Resource::RLIMIT_VMEM;

/// Bytes that this process may use: the least of the machine's memory, the limits of its control
/// groups (Linux, both versions) and its own limit of address space (`ulimit -v`). What cannot be
/// found out limits nothing.
pub fn limit() -> usize {
    let machine = machine();
    let own = getrlimit(ADDRESS_SPACE).ok().and_then(|(soft, _)| usize::try_from(soft).ok());
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = group_limits(Path::new("/sys/fs/cgroup"), &groups);
    [machine, own].into_iter().flatten().chain(groups).min().unwrap_or(usize::MAX)
}

fn machine() -> Option<usize> {
    // SAFETY: takes a number and returns one; -1 where the system does not know.
    let (pages, size) =
        unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    usize::try_from(pages).ok()?.checked_mul(usize::try_from(size).ok()?)
}

/// The limits of the groups that `/proc/self/cgroup` names, and of the groups around them. Within a
/// container the names may be those of the host: then the group is the root of what is mounted.
fn group_limits(root: &Path, groups: &str) -> Vec<usize> {
    let mut files: Vec<PathBuf> = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(kinds), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (top, file) = match kinds {
            "" => (root.to_owned(), "memory.max"),
            _ if kinds.split(',').any(|kind| kind == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let inside = top.join(path.trim_start_matches('/'));
        let around = inside.ancestors().take_while(|group| group.starts_with(&top));
        files.extend(around.map(|group| group.join(file)));
    }
    // "max" is no number, and no limit.
    let limits = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    limits.filter_map(|text| text.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_memory_and_it_has_a_limit() {
        let limit = limit();
        assert!(limit > 1024 * 1024, "{limit}");
        assert!(machine().is_none_or(|machine| limit <= machine));
    }

    #[test]
    fn the_groups_around_a_group_limit_it_too() {
        let scratch = crate::scratch::Scratch::new("memory-groups");
        let root = &scratch.0;
        let put = |file: &str, text: &str| {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("a/b/memory.max", "max\n");
        put("a/memory.max", "300\n");
        put("memory/old/memory.limit_in_bytes", "200\n");
        assert_eq!(group_limits(root, "0::/a/b\n"), [300]);
        assert_eq!(group_limits(root, "4:cpu,memory:/old\n3:pids:/a\n"), [200]);
        assert_eq!(group_limits(root, "0::/not/here\n"), [0; 0]);
    }
}
