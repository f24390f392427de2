from setuptools import setup, find_packages
setup(name="wordboard", version="1.4.0", packages=find_packages(), package_data={"wordboard": ["templates/*.html"]},
      install_requires=["bottle==0.12.25"], entry_points={"console_scripts": ["wordboard=wordboard.cli:main"]})
