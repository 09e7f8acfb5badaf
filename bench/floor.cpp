// The floor under a COPY-only build: read a tree in name order, frame it as tar, SHA-256 the stream (diffID),
// compress it in independent 1 MiB gzip members on every core (libdeflate level 1) and SHA-256 the result in order.
// Nothing is stored or sent, so no builder that makes the same bytes can be faster. Prints seconds and sizes.
#include <libdeflate.h>
#include <openssl/evp.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
namespace fs = std::filesystem;
constexpr size_t kBlock = 1 << 20;
struct Job {
  std::vector<unsigned char> in, out;
  bool done = false;
};
std::mutex m;
std::condition_variable cv;
std::deque<Job*> todo;
std::deque<Job*> order;
bool closed = false;
size_t raw = 0, packed = 0;
int main(int argc, char** argv) {
  int level = argc > 2 ? atoi(argv[2]) : 1;
  auto t0 = std::chrono::steady_clock::now();
  EVP_MD_CTX* diff = EVP_MD_CTX_new();
  EVP_DigestInit_ex(diff, EVP_sha256(), nullptr);
  EVP_MD_CTX* blob = EVP_MD_CTX_new();
  EVP_DigestInit_ex(blob, EVP_sha256(), nullptr);
  unsigned n = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> ws;
  for (unsigned i = 0; i < n; i++)
    ws.emplace_back([&] {
      auto* c = libdeflate_alloc_compressor(level);
      for (;;) {
        std::unique_lock l(m);
        cv.wait(l, [] { return closed || !todo.empty(); });
        if (todo.empty()) return;
        Job* j = todo.front();
        todo.pop_front();
        l.unlock();
        j->out.resize(libdeflate_gzip_compress_bound(c, j->in.size()));
        j->out.resize(libdeflate_gzip_compress(c, j->in.data(), j->in.size(), j->out.data(), j->out.size()));
        l.lock();
        j->done = true;
        cv.notify_all();
      }
    });
  std::thread sink([&] {
    for (;;) {
      std::unique_lock l(m);
      cv.wait(l, [] { return (!order.empty() && order.front()->done) || (closed && order.empty()); });
      if (order.empty()) return;
      Job* j = order.front();
      order.pop_front();
      cv.notify_all();
      l.unlock();
      EVP_DigestUpdate(blob, j->out.data(), j->out.size());
      packed += j->out.size();
      delete j;
    }
  });
  std::vector<unsigned char> cur;
  cur.reserve(kBlock);
  auto flush = [&] {
    if (cur.empty()) return;
    EVP_DigestUpdate(diff, cur.data(), cur.size());
    raw += cur.size();
    auto* j = new Job;
    j->in.swap(cur);
    cur.reserve(kBlock);
    std::unique_lock l(m);
    cv.wait(l, [&] { return order.size() < 64; });
    todo.push_back(j);
    order.push_back(j);
    cv.notify_all();
  };
  auto put = [&](const unsigned char* p, size_t k) {
    while (k) {
      size_t s = std::min(k, kBlock - cur.size());
      cur.insert(cur.end(), p, p + s);
      p += s;
      k -= s;
      if (cur.size() == kBlock) flush();
    }
  };
  std::vector<std::string> names;
  for (auto& e : fs::recursive_directory_iterator(argv[1])) names.push_back(e.path().string());
  std::sort(names.begin(), names.end());
  std::vector<unsigned char> buf(kBlock);
  unsigned char hdr[512];
  static unsigned char zero[512];
  for (auto& p : names) {
    struct stat st;
    if (lstat(p.c_str(), &st)) continue;
    memset(hdr, 0, 512);
    snprintf((char*)hdr, 100, "%s", p.c_str());
    snprintf((char*)hdr + 124, 12, "%011lo", (long)st.st_size);
    put(hdr, 512);
    if (!S_ISREG(st.st_mode)) continue;
    int fd = open(p.c_str(), O_RDONLY);
    ssize_t k;
    size_t t = 0;
    while ((k = read(fd, buf.data(), buf.size())) > 0) {
      put(buf.data(), k);
      t += k;
    }
    close(fd);
    put(zero, (512 - t % 512) % 512);
  }
  put(zero, 512);
  put(zero, 512);
  flush();
  {
    std::lock_guard l(m);
    closed = true;
  }
  cv.notify_all();
  for (auto& w : ws) w.join();
  sink.join();
  double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - t0).count();
  printf("%.3f s  %.0f MB raw  %.0f MB packed  %.0f MB/s\n", s, raw / 1e6, packed / 1e6, raw / 1e6 / s);
}
