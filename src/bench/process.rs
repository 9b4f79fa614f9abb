//! What `/proc` says about a process: its memory, and the time its threads spent on a processor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// `/proc/PID/stat` counts in hundredths of a second on every Linux that this runs on.
const NANOS_PER_TICK: u64 = 10_000_000;

/// The processor time of a process so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Cpu {
    /// Nanoseconds of each thread that is alive, from the scheduler.
    threads: BTreeMap<u32, u64>,
    /// Nanoseconds of all threads that ever were, in steps of ten milliseconds.
    whole: u64,
}

impl Cpu {
    /// Reads it now.
    pub(super) fn of(pid: u32) -> anyhow::Result<Cpu> {
        let folder = folder(pid);
        let stat = read(&folder.join("stat"))?;
        let whole = ticks(&stat).context("an unknown form of /proc/PID/stat")? * NANOS_PER_TICK;
        let mut threads = BTreeMap::new();
        let tasks = folder.join("task");
        for entry in std::fs::read_dir(&tasks).with_context(|| tasks.display().to_string())?.flatten() {
            let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
            // A thread may end between the listing and the reading.
            let time = std::fs::read_to_string(entry.path().join("schedstat")).ok().and_then(|text| on_cpu(&text));
            if let (Some(id), Some(time)) = (id, time) {
                threads.insert(id, time);
            }
        }
        Ok(Cpu { threads, whole })
    }

    /// Nanoseconds since an earlier reading: the scheduler's exact count, unless threads have ended since then and
    /// taken their count with them.
    pub(super) fn since(&self, earlier: &Cpu) -> u64 {
        let ended = earlier.threads.keys().any(|id| !self.threads.contains_key(id));
        if ended || self.threads.is_empty() {
            return self.whole.saturating_sub(earlier.whole);
        }
        let before = |id: &u32| earlier.threads.get(id).copied().unwrap_or(0);
        self.threads.iter().map(|(id, time)| time.saturating_sub(before(id))).sum()
    }
}

/// The processor time of several processes.
pub(super) struct Cpus(Vec<Cpu>);

impl Cpus {
    /// Reads it now; `None` when there are none.
    pub(super) fn of(pids: &[u32]) -> anyhow::Result<Option<Cpus>> {
        let all = pids.iter().map(|pid| Cpu::of(*pid)).collect::<anyhow::Result<Vec<Cpu>>>()?;
        Ok((!all.is_empty()).then_some(Cpus(all)))
    }

    /// Nanoseconds of all since an earlier reading of the same.
    pub(super) fn since(&self, earlier: &Cpus) -> u64 {
        self.0.iter().zip(&earlier.0).map(|(now, before)| now.since(before)).sum()
    }
}

/// Bytes of a process that are in memory.
pub(super) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = read(&folder(pid).join("status"))?;
    resident_bytes(&status).context("an unknown form of /proc/PID/status")
}

fn folder(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// utime + stime: the 14th and 15th field. The second field is the program's name, which may contain anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn on_cpu(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_cannot_shift_the_fields() {
        let stat = "42 (a ) b 9 9) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4 0 100 200";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("42 nonsense"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    2048 kB\nVmData:\t1 kB\n"), Some(2 << 20));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
    }

    #[test]
    fn new_threads_count_whole_and_ended_ones_fall_back_to_ticks() {
        let cpu = |threads: &[(u32, u64)], whole| Cpu { threads: threads.iter().copied().collect(), whole };
        let before = cpu(&[(1, 100), (2, 50)], 1_000);
        assert_eq!(cpu(&[(1, 170), (2, 50), (3, 7)], 2_000).since(&before), 77);
        assert_eq!(cpu(&[(1, 170)], 2_000).since(&before), 1_000);
    }

    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        assert!(resident(pid).unwrap() > 100_000);
        let before = Cpu::of(pid).unwrap();
        let mut sum = 0_u64;
        while Cpu::of(pid).unwrap().since(&before) < 1_000_000 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
    }
}
