// A program for images that hold nothing else: "mkdir PATH", "write PATH TEXT", "exit CODE".
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "mkdir") == 0) return ::mkdir(argv[2], 0755) == 0 ? 0 : 1;
  if (argc == 3 && std::strcmp(argv[1], "exit") == 0) return std::atoi(argv[2]);
  if (argc == 4 && std::strcmp(argv[1], "write") == 0) {
    const int fd = ::open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const auto size = static_cast<ssize_t>(std::strlen(argv[3]));
    return fd >= 0 && ::write(fd, argv[3], std::strlen(argv[3])) == size ? 0 : 1;
  }
  return 2;
}
