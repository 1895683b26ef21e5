"""Every solver against every resource, with the certified optimum as the floor."""

from epsl_opt.studies.resource_management.study import ResourceManagementStudy

__all__ = ["ResourceManagementStudy"]
