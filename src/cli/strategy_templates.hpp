#pragma once

#include <string>
#include <vector>

namespace tektii::cli {

struct TemplateFile {
  std::string name;
  std::string content;
};

// A strategy to begin with.
struct StrategyTemplate {
  std::string name;  // "ma-crossover"
  std::vector<TemplateFile> files;
};

// The templates of the directory templates/, by name; part of the program (cmake/EmbedTemplates.cmake).
const std::vector<StrategyTemplate>& strategy_templates();

// One file that all of them have. The name must be one of templates/common.
const std::string& common_template_file(const std::string& name);

}  // namespace tektii::cli
