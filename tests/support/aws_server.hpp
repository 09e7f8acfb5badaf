#pragma once

#include "support/http_server.hpp"
#include "support/sigv4.hpp"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace tektii::testing {

// Stands in for Amazon ECR, ECR Public, STS, the metadata services of containers and EC2 instances, GitHub's identity
// tokens and Google's metadata server, all on one port of 127.0.0.1. Every signature is recomputed; a wrong one gets
// 403 and is kept for the test to see.
class AwsServer {
 public:
  AwsServer();

  HttpServer& http() { return server_; }
  std::string url(std::string_view path = "") const { return server_.url(path); }

  // The keys that are known, by access key id. AKIDEXAMPLE of Amazon's own examples is there.
  void add_keys(const SigV4Keys& keys);
  // What went wrong with signatures so far.
  std::vector<std::string> signature_faults() const;
  // "ecr GetAuthorizationToken", "sts AssumeRole" ...: what was carried out.
  std::vector<std::string> calls() const;

  // --- What the services answer ---
  std::string region = "us-east-1";
  double token_expires = 0;  // expiresAt of tokens; 0: none
  int ecr_status = 200;      // else an error of the service
  std::string ecr_error = "AccessDeniedException";
  std::string instance_role;     // empty: 404
  std::string container_token;   // Authorization that /container wants
  std::string google_token;      // empty: 404
  std::string repository_error;  // of CreateRepository

 private:
  ServerResponse handle(const ServerRequest& request);
  ServerResponse handle_signed(const ServerRequest& request);
  ServerResponse handle_ecr(const ServerRequest& request, const std::string& service);
  ServerResponse handle_sts(const ServerRequest& request);
  ServerResponse handle_instance(const ServerRequest& request);
  void note(const std::string& call);

  mutable std::mutex mutex_;
  std::map<std::string, SigV4Keys> keys_;
  std::vector<std::string> faults_;
  std::vector<std::string> calls_;
  HttpServer server_;  // last: its threads use all of the above
};

}  // namespace tektii::testing
