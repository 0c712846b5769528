package estest

import "syscall"

// inMemory is a folder that Linux keeps in memory. Elasticsearch waits for the disk
// whenever it makes an index: there the job's cases took 40 s instead of 60.
const inMemory = "/dev/shm"

// enoughMemory is how many bytes must be free there: a container often has 64 MiB, and no
// test writes more than 1 GiB.
const enoughMemory = 4 << 30

func hasRoom() bool {
	var room syscall.Statfs_t
	return syscall.Statfs(inMemory, &room) == nil && room.Bavail*uint64(room.Bsize) >= enoughMemory
}
